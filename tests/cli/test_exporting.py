"""`replycast export-page` and the export at each change: the same page as files, and nobody else's file touched."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page

from service.actions.house import House
from service.config import parse
from service.web.public.exporting import TRY_AGAIN, Exporter
from service.web.public.static_folder import MANIFEST, FolderNotOurs
from tests.cli.running import ON_THIS_MACHINE, PATIENCE, run, run_json, start, write_config
from tests.rooms import CONFIG, Clock, make_front, make_house
from tests.web.chromium import fits, opened, started
from tests.web.outages import ECHO, ECHO_MONITOR, Outages

LINK = re.compile(r'(?:href|src|action)="([^"#]*)')


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Give a house."""
    made = make_house(tmp_path / "house", CONFIG + ECHO_MONITOR)
    yield made
    made.store.close()


@pytest.fixture
def outages(house: House, clock: Clock) -> Outages:
    """Give what may go wrong."""
    return Outages(house, clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that is not there yet."""
    return tmp_path / "public" / "status"


@pytest.fixture
def exporter(house: House, clock: Clock, folder: Path) -> Exporter:
    """Give what exports into it."""
    return Exporter(make_front(house, clock), folder)


def names(folder: Path) -> set[str]:
    """Give the files in a folder."""
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_the_command_writes_the_page_and_says_how_much_changed(tmp_path: Path) -> None:
    config, folder = write_config(tmp_path), tmp_path / "out"
    first = run("export-page", folder, "--config", config)
    assert first.exit_code == 0, first.output
    count = len(names(folder)) - 1
    assert first.stdout == f"{folder}: {count} files, {count} changed, 0 removed\n"
    assert (
        run("export-page", folder, "--config", config).stdout
        == f"{folder}: {count} files, 0 changed, 0 removed\n"
    )
    expected = {
        *("index.html", "history/index.html", "embed/index.html", "widget.js", "calendar.ics", "feed.atom"),
        *("feed.rss", "feeds/email.atom", "badge.svg", "badge/email.svg", "api/v2/summary.json"),
        *("api/v2/incidents/unresolved.json", "static/replycast.css", "static/icon.svg", MANIFEST),
    }
    assert expected <= names(folder)


def test_a_script_is_told_what_an_export_did(tmp_path: Path) -> None:
    config, folder = write_config(tmp_path), tmp_path / "out"
    first = run_json("export-page", folder, "--config", config)
    count = len(names(folder)) - 1
    assert first == {"folder": str(folder), "files": count, "changed": count, "removed": 0}
    assert run_json("export-page", folder, "--config", config) == first | {"changed": 0}


def test_every_page_of_an_incident_is_there_and_every_link_leads_somewhere(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    outages.close(outages.published())
    clock.move(timedelta(days=40))
    outages.published(
        ECHO, subject="Slow", message="[x](/history?month=../../etc) [y](/static/../../x) [z](//h/)"
    )
    exporter.export(clock())
    assert {"incidents/1/index.html", "incidents/2/index.html"} <= names(folder)
    assert {"history/2026-11/index.html", "history/2027-01/index.html"} <= names(folder)
    for page in folder.rglob("*.html"):
        text = page.read_text()
        assert "<script" not in text
        assert "<form" not in text
        for link in LINK.findall(text):
            if link and not link.startswith(("http://status.acme.example/", "//h/")):
                target = (page.parent / link).resolve()
                assert (target / "index.html" if link.endswith("/") else target).is_file(), (page, link)


def test_only_what_changed_is_written(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    outages.published(ECHO, subject="Slow", message="x")
    exporter.export(clock())
    times = {name: (folder / name).stat().st_mtime_ns for name in names(folder)}
    inodes = {name: (folder / name).stat().st_ino for name in times}
    outages.tell(incident, "News")
    exporter.export(clock())
    swapped = {name for name in times if (folder / name).stat().st_ino != inodes[name]}
    assert {"index.html", "incidents/1/index.html", "feed.atom"} <= swapped
    assert not swapped & {"incidents/2/index.html", "static/replycast.css", "badge.svg", "feeds/calendar.rss"}
    assert not [
        name for name in names(folder) if name.rpartition("/")[2].startswith(".") and name != MANIFEST
    ]


def test_the_page_of_an_incident_stays_when_it_is_over(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    incident = outages.published()
    exporter.export(clock())
    outages.close(incident)
    exporter.export(clock())
    assert "Resolved" in (folder / "incidents/1/index.html").read_text()


def test_what_is_gone_is_removed_but_nothing_of_others(
    folder: Path, outages: Outages, house: House, clock: Clock, tmp_path: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "CNAME").write_text("status.acme.example")
    Exporter(make_front(house, clock), folder).export(clock())
    (folder / "feeds" / "mine.txt").write_text("mine")
    smaller = make_house(tmp_path / "other", CONFIG.replace("  - {name: API, group: Platform}\n", ""))
    exported = Exporter(make_front(smaller, clock), folder).export(clock())
    smaller.store.close()
    assert exported.removed == 3
    assert not [name for name in names(folder) if "api." in name]
    assert {"CNAME", "feeds/mine.txt", "feeds/email.atom"} <= names(folder)


def test_an_unpublished_incident_is_in_no_file(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    outages.fire(ECHO, subject="Secret", message="Zanzibar")
    exporter.export(clock())
    assert not [
        name for name in names(folder) if b"Secret" in (folder / name).read_bytes() or "incidents/1" in name
    ]


def test_a_file_that_somebody_else_wrote_stops_the_export(tmp_path: Path) -> None:
    config, folder = write_config(tmp_path), tmp_path / "out"
    folder.mkdir()
    (folder / "index.html").write_text("my home page")
    result = run("export-page", folder, "--config", config)
    assert result.exit_code == 1
    assert result.stderr == (
        f"replycast: {folder}/index.html was not written by an export: choose another folder, or move it away\n"
    )
    assert names(folder) == {"index.html"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    config, folder = write_config(tmp_path), tmp_path / "file" / "out"
    folder.parent.write_text("no folder")
    result = run("export-page", folder, "--config", config)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"replycast: Not a directory: '{folder}")


def test_an_export_that_was_cut_short_is_taken_up(
    exporter: Exporter, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, swapped = Path.replace, list[Path]()

    def break_off(new: Path, file: Path) -> Path:
        swapped.append(file)
        if len(swapped) > 10:
            raise OSError("no space left on device")
        return replace(new, file)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", break_off)
        with pytest.raises(OSError, match="no space"):
            exporter.export(clock())
    assert len(names(folder)) == 10
    exporter.export(clock())
    assert "index.html" in names(folder)


def test_a_file_that_was_lost_or_emptied_is_written_again(
    exporter: Exporter, folder: Path, house: House, clock: Clock
) -> None:
    exporter.export(clock())
    (folder / "feed.atom").write_bytes(b"")  # as a power cut leaves it
    (folder / "badge.svg").unlink()
    exported = Exporter(make_front(house, clock), folder).export(clock())
    assert exported.changed == 2
    assert (folder / "feed.atom").read_bytes()


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": 3}'])
def test_a_manifest_that_cannot_be_read_stops_the_export(
    manifest: str, exporter: Exporter, folder: Path, clock: Clock
) -> None:
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest)
    with pytest.raises(FolderNotOurs, match="cannot be read"):
        exporter.export(clock())


def test_a_manifest_leads_nowhere_outside(exporter: Exporter, folder: Path, clock: Clock) -> None:
    folder.mkdir(parents=True)
    outside = folder.parent / "outside"
    outside.write_text("precious")
    (folder / MANIFEST).write_text(f'{{"files": {{"../outside": "", "{outside}": ""}}}}')
    exporter.export(clock())
    assert outside.read_text() == "precious"


def test_at_each_change_it_is_exported_again_and_otherwise_left(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    exporter.export_if_changed(clock())
    (folder / "index.html").unlink()
    clock.move(timedelta(seconds=1))
    exporter.export_if_changed(clock())
    assert not (folder / "index.html").exists()  # nothing changed, so that nothing was looked at
    outages.published()
    exporter.export_if_changed(clock())
    assert "Email is unavailable" in (folder / "index.html").read_text()


def test_what_fails_is_tried_again_a_little_later(exporter: Exporter, folder: Path, clock: Clock) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file is in the way")
    exporter.export_if_changed(clock())
    folder.unlink()
    clock.move(TRY_AGAIN - timedelta(seconds=1))
    exporter.export_if_changed(clock())
    assert not folder.exists()
    clock.move(timedelta(seconds=1))
    exporter.export_if_changed(clock())
    assert (folder / "index.html").is_file()


def test_the_folder_is_meant_relative_to_the_config(tmp_path: Path) -> None:
    wanted = CONFIG.replace("site: {", "site: {export_to: public, ")
    assert parse(wanted, tmp_path / "config.yaml", {}).site.export_to == tmp_path / "public"
    assert parse(CONFIG, tmp_path / "config.yaml", {}).site.export_to is None


def test_the_service_exports_by_itself_where_config_says_so(tmp_path: Path) -> None:
    config = write_config(tmp_path, ON_THIS_MACHINE.replace("site: {", "site: {export_to: public/status, "))
    with start("serve", "--config", config, "--port", 0, folder=tmp_path) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if '"event": "exported"' in line)
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    page = (tmp_path / "public/status/index.html").read_text()
    assert "All systems operational" in page
    assert "sandbox" not in page


@contextmanager
def static_host(folder: Path) -> Iterator[str]:
    """Serve a folder as a static host does."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def follow(sheet: Page, link: str, heading: str) -> None:
    sheet.get_by_role("link", name=link).first.click()
    sheet.get_by_role("heading", level=1, name=heading).wait_for()
    assert fits(sheet)


@pytest.mark.chromium
def test_the_exported_page_looks_the_same_and_its_links_work_below_any_address(
    exporter: Exporter, folder: Path, outages: Outages, clock: Clock
) -> None:
    outages.close(outages.published(ECHO, subject="Slow", message="x"))
    clock.move(timedelta(days=32))
    outages.published()
    exporter.export(clock())
    with static_host(folder.parent) as url, started() as chromium, opened(chromium, 1000, 800) as sheet:
        sheet.goto(f"{url}/status/")
        assert sheet.title() == "Major outage: Email · Acme Status"
        assert fits(sheet)
        follow(sheet, "Email is unavailable", "Email is unavailable")
        follow(sheet, "All history", "History: December 2026")
        follow(sheet, "← November 2026", "History: November 2026")
        follow(sheet, "Slow", "Slow")
        follow(sheet, "Acme Status", "Major outage: Email")
        subscribe = sheet.get_by_role("link", name="Subscribe").last
        assert subscribe.get_attribute("href") == "http://status.acme.example/subscribe"
