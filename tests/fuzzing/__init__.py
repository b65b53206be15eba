"""Random legal models and graphs, hostile files: what hwgen must survive, exactly."""
