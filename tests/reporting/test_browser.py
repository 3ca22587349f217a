"""The page in a headless Chromium: tabs, keyboard, filters, sorting, widths, print, accessibility, no request."""

from __future__ import annotations

import shutil

import pytest

from avelzoo.plugin.default import default_host
from avelzoo.reporting.report import ReportRequest, write_report
from avelzoo.reporting.runs import read_runs
from tests.reporting.made import HOSTILE, make_run

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TABS = [
    *("Overview", "Comparison", "Learning", "Categories", "Confusion"),
    *("Calibration", "Embedding", "Memory", "Videos", "Composition"),
]
MANY = 4_143


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs the program chromium")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    """Three runs of two systems on thousands of videos, with hostile names."""
    parent = tmp_path_factory.mktemp("made")
    return [
        make_run(parent / f"run{i}", finished, videos=MANY, seed=seed, option=option)
        for i, (seed, option) in enumerate([(0, 8), (1, 8), (0, 16)])
    ]


@pytest.fixture(scope="module")
def many(runs):
    out = runs[0].parent / "many.html"
    write_report(runs, out, default_host().registry, ReportRequest(model=False, resamples=100, title=HOSTILE[0]))
    return out


@pytest.fixture(scope="module")
def whole(finished, tmp_path_factory):
    """A report with every section."""
    out = tmp_path_factory.mktemp("whole") / "whole.html"
    write_report([finished], out, default_host().registry, ReportRequest(method="pca", resamples=100))
    return out


@pytest.fixture
def open_page(browser):
    """Open a file; at the end, there were no errors, no messages and no requests besides the file."""
    contexts, faults = [], []

    def opened(file, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda r: None if r.url.startswith(file.as_uri()) else faults.append(r.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def test_every_tab_shows_its_panel_alone(open_page, many):
    page = open_page(many)
    assert page.get_by_role("tab").all_inner_texts() == TABS
    for name in TABS:
        tab(page, name)
        assert page.get_by_role("tabpanel").count() == 1
        assert page.get_by_role("tabpanel", name=name).is_visible()
        assert page.url.endswith("#" + name.lower())


def test_hostile_names_are_text(open_page, many):
    page = open_page(many)
    assert page.title() == f"{HOSTILE[0]} · avelzoo report"
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE[0]
    tab(page, "Videos")
    assert page.locator("#rows code").first.inner_text() == "v0000</script><b onclick='x'>"
    assert page.locator("#category option").all_inner_texts() == ["all", *HOSTILE, "no event"]
    assert page.locator("img, b, script:not(#data):not(:last-of-type)").count() == 0


def test_the_keyboard_reaches_and_moves_the_tabs(open_page, many):
    page = open_page(many)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.reload()
    page.locator("#theme").focus()
    page.keyboard.press("Tab")
    seen = [page.evaluate("document.activeElement.textContent")]
    for key in ("ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        seen.append(page.evaluate("document.activeElement.textContent"))
        assert page.locator("[role=tab][aria-selected=true]").inner_text() == seen[-1]
    assert seen == ["Overview", "Comparison", "Composition", "Overview", "Composition", "Overview"]
    assert page.locator("[role=tab][tabindex='0']").count() == 1
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_videos_are_filtered_and_paged(open_page, many, runs):
    page = open_page(many)
    tab(page, "Videos")
    first = read_runs(runs).runs[0]
    truth, found = first.labelled.truth, first.found
    wrong = (truth.segments != found.segments).any(axis=1)
    shown, filters = page.locator("#shown"), page.locator("#filters")
    assert shown.inner_text() == "1 to 25 of 4,143 videos" and page.locator("#rows > tr").count() == 25
    page.get_by_role("button", name="Next").click()
    assert shown.inner_text() == "26 to 50 of 4,143 videos"
    filters.get_by_label("Result").select_option("wrong")
    assert shown.inner_text() == f"1 to 25 of {wrong.sum():,} found in 4,143 videos"
    filters.get_by_label("Category").select_option("2")
    assert shown.inner_text() == f"1 to 25 of {(wrong & (truth.events == 2)).sum():,} found in 4,143 videos"
    filters.get_by_label("Result").select_option("category")
    missed = (truth.events == 2) & (found.category != 2)
    assert shown.inner_text() == f"1 to 25 of {missed.sum():,} found in 4,143 videos"
    filters.get_by_label("Category").select_option("")
    filters.get_by_label("Result").select_option("")
    filters.get_by_label("Id").fill("V4142")
    sync_api.expect(page.locator("#rows > tr")).to_have_count(1)
    right = int((truth.segments == found.segments)[-1].sum())
    assert page.locator("#rows td.number").first.inner_text() == f"{right} / 10"
    page.locator("#rows summary").click()
    values = page.locator("#rows details td:nth-child(4)").all_inner_texts()
    assert [float(v) for v in values] == pytest.approx(found.relevance[-1].tolist(), abs=0.01)
    filters.get_by_label("Id").fill("nothing")
    sync_api.expect(page.locator("#rows > tr")).to_have_count(0)
    assert shown.inner_text() == "No video of 4,143 fits"


def test_another_run_shows_its_own_numbers(open_page, many, runs):
    page = open_page(many)
    loaded = read_runs(runs).runs
    choice = page.get_by_label("Run", exact=True)
    tab(page, "Overview")
    assert not choice.is_visible()
    tab(page, "Videos")
    for number in (2, 1):
        choice.select_option(str(number))
        one = loaded[number]
        expected = [f"{n} / 10" for n in (one.labelled.truth.segments == one.found.segments)[:25].sum(axis=1)]
        assert page.locator("#rows > tr > td.number").all_inner_texts() == expected
    tab(page, "Confusion")
    assert page.locator("#confusion .run:visible").get_attribute("data-run") == "1"


def test_tables_sort_by_number_and_by_text(open_page, many):
    page = open_page(many)
    tab(page, "Categories")
    table = page.locator("#categories .run:visible table.data").first
    head = table.get_by_role("columnheader", name="accuracy", exact=True)
    cells = table.locator("tbody tr > :nth-child(3)")
    for order in ("descending", "ascending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        values = [float(text) for text in cells.all_inner_texts()]
        assert values == sorted(values, reverse=order == "descending")
    name = table.get_by_role("columnheader", name="category", exact=True)
    name.get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None
    assert sorted(table.locator("tbody th").all_inner_texts()) == sorted(HOSTILE)


def test_one_category_of_the_map_stands_out(open_page, whole):
    page = open_page(whole)
    tab(page, "Embedding")
    marks = page.locator("#embedding .wide :is(circle, path):has(title)")
    page.get_by_label("Highlight").select_option("balanced-1")
    dim = page.locator("#embedding .wide .dim")
    own = page.locator("#embedding .wide :is(circle, path):has(title)", has_text="balanced-1 ·")
    assert 0 < own.count() < marks.count() and dim.count() == marks.count() - own.count()


def test_links_and_the_back_button_change_tabs(open_page, whole):
    page = open_page(whole)
    shown = page.locator("[role=tab][aria-selected=true]")
    tab(page, "Learning")
    tab(page, "Videos")
    page.evaluate("location.hash = 'memory'")
    for name, move in (("Memory", None), ("Videos", "go_back"), ("Learning", "go_back"), ("Videos", "go_forward")):
        if move:
            getattr(page, move)()
        sync_api.expect(shown).to_have_text(name)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_page(open_page, whole, many, width):
    for file in (whole, many):
        page = open_page(file, viewport={"width": width, "height": 800})
        for name in TABS:
            page.evaluate("name => { location.hash = name; }", "#" + name.lower())
            sync_api.expect(page.locator("#" + name.lower())).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(open_page, whole, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(whole, color_scheme=scheme, bypass_csp=True)  # the policy would refuse axe's own script
    tab(page, "Videos")
    page.locator("#rows summary").first.click()
    page.evaluate("for (const part of document.querySelectorAll('.panel')) part.hidden = false")
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_scheme_can_be_chosen(open_page, whole):
    page = open_page(whole, color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(ground)
    button = page.locator("#theme")
    button.click()
    light = page.evaluate(ground)
    assert button.inner_text() == "Colours: light" and light == "rgb(255, 255, 255)" != dark
    button.click()
    assert page.evaluate(ground) == dark
    page.reload()
    assert page.locator("#theme").inner_text() == "Colours: automatic"


def test_paper_has_every_section_unfolded(open_page, whole):
    page = open_page(whole, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    sync_api.expect(page.locator("details").first).to_have_attribute("open", "")
    for name in TABS:
        assert page.locator(f"#{name.lower()}").is_visible()
    assert not page.locator("#tabs").is_visible() and not page.locator("#theme").is_visible()
    assert page.locator("#rows > tr").count() == 18
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
    sync_api.expect(page.locator("details").first).not_to_have_attribute("open", "")


def test_without_script_everything_is_there(open_page, whole):
    page = open_page(whole, java_script_enabled=False)
    for name in TABS:
        assert page.locator(f"#{name.lower()}").is_visible()
    assert page.get_by_text("Timelines are drawn by the page's script").is_visible()
    assert not page.locator("#theme").is_visible()
