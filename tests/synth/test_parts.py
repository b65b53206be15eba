import pytest

from hwgen.errors import FoldError
from hwgen.parts import PARTS, find_part


def test_finds_every_part_in_any_case():
    assert all(find_part(name.upper()) is part for name, part in PARTS.items())


def test_names_the_parts_there_are():
    message = (
        "part 'xc7z999' is not known; choose one of xc7a35t, xc7a100t, xc7z020, ecp5-25k, "
        "ecp5-45k, ecp5-85k."
    )
    with pytest.raises(FoldError) as error:
        find_part("xc7z999")
    assert str(error.value) == message
