import json
import re
from html.parser import HTMLParser
from io import StringIO

import pytest
from build_directory import EVIL, manifest, synth, verify
from rich.console import Console

from hwgen.errors import HwgenError
from hwgen.report import terminal_summary, write_report

BLOCKS = {"dt", "dd", "div", "td"}
VOID = {"meta", "i", "br", "link", "img", "line", "polyline"}


class Page(HTMLParser):
    """Text by section, cells of every table row, tags; fails on a tag that is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.section = [], [], "top"
        self.text, self.rows = {}, []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or tag == "i":
            self.open.append(tag)
        if tag == "h2":
            self.section = dict(attrs)["id"]
        self.text[self.section] = self.text.get(self.section, "") + " " * (tag in BLOCKS)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text[self.section] = self.text.get(self.section, "") + data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, *start):
        """Return the rest of the row that begins with these cells."""
        rows = [[" ".join(cell.split()) for cell in row] for row in self.rows]
        return next(row[len(start) :] for row in rows if tuple(row[: len(start)]) == start)


def page(folder):
    return Page(write_report(folder).read_text())


def test_shows_the_headline_figures(build):
    top = " ".join(page(build()).text["top"].split())
    for text in (
        "320 → 128 → 160, 4-bit weights. Data: spoken digits.",
        "0 mismatches in 4,000 compared, over 50 samples",
        "Accuracy, 4-bit weights 94.1 %", "float 95.0 %", "4‑bit 0.97", "1‑bit –",
        "Cycles per inference 1,281", "78,064 per s if at 100 MHz",
        "Latency 16.0 µs", "1,600 cycles",
        "LUT 5,190", "25.0 % of xc7a35t", "BRAM36 6.5", "DSP 3", "Weights 30.0 KiB",
    ):  # fmt: skip
        assert text in top


def test_every_table_has_its_row(build):
    p = page(build())
    assert p.row("4 bit", "two-stage") == [
        "0.97 ± 0.01", "20.0 % ± 1.0", "10.0 % ± 1.0", "94.1 % ± 1.0", "30.0",
    ]  # fmt: skip
    assert p.row("fc1", "Dense") == [
        "320 → 128", "8 × 4", "row", "4", "8", "14", "8", "1,280", "3,000", "4.5",
    ]  # fmt: skip
    assert p.row("fc1", "", "1,280") == ["100 %"]
    assert p.row("csim")[1:] == ["1,000", "0", "0", "1.0"]
    assert p.row("act", "150") == ["90", "0", "3"]
    assert p.row("streams between layers") == ["40", "30", "0", "0"]
    assert p.row("Total") == ["5,190", "500", "6.5", "3"]
    assert p.row("cost model") == ["2,701", "240", "4.5", "0"]


def test_draws_a_det_panel_per_bit_width_and_both_histograms(build):
    labels = [a["aria-label"] for tag, a in page(build()).tags if tag == "svg" and "role" in a]
    assert labels == [
        "DET curves, 4-bit weights", "DET curves, 1-bit weights",
        "Histogram, before tanh", "Histogram, after tanh",
    ]  # fmt: skip


def test_a_det_curve_goes_through_its_points(build):
    tags = page(build()).tags
    curve = next(
        a["points"] for tag, a in tags if tag == "polyline" and a["class"] == "two-stage"
    ).split()
    points = [tuple(map(float, p.split(","))) for p in curve]
    # FRR 10 % lies halfway along the axis of two decades; the FDR there is 20 %.
    across = 46 + (280 - 8 - 46) / 2
    down = 24 + (250 - 40 - 24) * 0.349485  # log10(1 / 0.2) / 2
    assert min(abs(x - across) + abs(y - down) for x, y in points) < 0.2


def test_is_one_small_file_that_loads_nothing(build):
    text = write_report(build()).read_text()
    assert len(text) < 5e6
    assert not re.search(r"https?:|src=|<link|<script|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_names_from_a_model_stay_text(build):
    folder = build(manifest=manifest(EVIL), synth=synth(EVIL))
    p = page(folder)
    assert "script" not in {tag for tag, _ in p.tags}
    assert p.row(EVIL, "Dense")[0] == "320 → 128"
    Console(file=StringIO()).print(terminal_summary(folder))


def test_a_mismatch_comes_first_and_says_where(build):
    top = " ".join(page(build(verify=verify(2))).text["top"].split())
    assert (
        "2 of 4,000 integers differ. First: layer fc2, channel 7, position 2 × 4, sample 3: "
        "expected -5, got 6." in top
    )
    assert "Every witness" not in top


def test_float32_ties_are_not_hidden(build):
    verdict = verify()
    verdict["witnesses"][1]["ties"] = 2
    top = " ".join(page(build(verify=verdict)).text["top"].split())
    assert "over 50 samples; 2 differences are proved float32 ties." in top


def test_more_than_the_part_has_is_marked(build):
    marked = [a["class"] for tag, a in page(build(synth=synth(dsp=91))).tags if tag == "td"
              and "wrong" in a.get("class", "")]  # fmt: skip
    assert marked == ["wrong"]


@pytest.mark.parametrize(
    ("file", "section", "command"),
    [
        ("metrics", "accuracy", "hwgen train MODEL --out DIR"),
        ("det", "accuracy", "hwgen train MODEL --out DIR"),
        ("weights", "weights", "hwgen train MODEL --out DIR"),
        ("manifest", "layers", "hwgen build FILE.onnx --out DIR"),
        ("verify", "verification", "hwgen verify DIR"),
        ("synth", "resources", "hwgen synth DIR"),
    ],
)
def test_a_missing_file_says_which_command_writes_it(build, file, section, command):
    folder = build(**{file: None})
    name = f"{file}.npz" if file == "weights" else f"{file}.json"
    p = page(folder)
    assert f"Not there yet: {name} is missing. {command} writes it." in p.text[section]
    assert json.loads((folder / "report.json").read_text())["summary"]["missing"] == [name]
    Console(file=StringIO()).print(terminal_summary(folder))


def test_a_model_of_others_has_no_training_to_show(build):
    folder = build(metrics=None, det=None, weights=None)
    p = page(folder)
    assert {"accuracy", "weights"}.isdisjoint(p.text)
    assert json.loads((folder / "report.json").read_text())["summary"]["missing"] == []


def test_without_verification_the_cycles_are_called_predicted(build):
    top = " ".join(page(build(verify=None)).text["top"].split())
    assert "Cycles per inference, predicted 1,280" in top


def test_a_build_alone_makes_a_report(build):
    folder = build(**dict.fromkeys(("metrics", "det", "weights", "verify", "synth")))
    p = page(folder)
    assert p.row("fc1", "Dense")[-2:] == ["900", "1.5"]
    assert "estimates of the cost model" in p.text["layers"]


def test_report_json_is_strict_json_with_stable_names(build):
    folder = build()
    write_report(folder)
    text = (folder / "report.json").read_text()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert list(content) == ["summary", "metrics", "manifest", "verify", "synth"]
    assert content["summary"]["relative_fdr"]["two-stage"] == {"4": 0.97, "1": None}
    assert content["summary"]["latency_us"] == 16.0


def test_an_empty_folder_is_an_error_with_the_first_command(tmp_path):
    with pytest.raises(
        HwgenError, match=r"no manifest\.json.*start with hwgen build FILE\.onnx --out DIR"
    ):
        write_report(tmp_path)


def test_a_damaged_file_names_itself_and_its_command(build):
    folder = build()
    (folder / "synth.json").write_text('{"part": ')
    with pytest.raises(HwgenError, match=r"synth\.json: cannot be read .* hwgen synth DIR"):
        write_report(folder)


def test_the_terminal_shows_methods_side_by_side(build):
    console = Console(file=StringIO(), width=100)
    folder = build()
    console.print(terminal_summary(folder))
    text = console.file.getvalue()
    assert re.search(r"4 bit +92\.0 %  1\.30 +93\.0 %  1\.10 +94\.1 %  0\.97", text)
    assert re.search(r"rtl +1,000 +0 +0", text)
    assert re.search(r"LUT +5,190 \(25 % of xc7a35t\)", text)
    assert re.search(r"latency +1,600 cycles, 16\.0 us if at 100 MHz", text)
    assert "report.html" in text
