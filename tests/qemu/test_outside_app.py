# SPDX-License-Identifier: BSD-2-Clause
"""An app in a folder of its own, outside of the tree: the example of docs/writing-an-app.md."""
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, launch, stamped

EXAMPLE = ROOT / "docs/example-app/hello.c"
PAGE = ROOT / "docs/writing-an-app.md"
CPUS = 2


def make(build, app):
    return subprocess.run(["make", "-s", "-C", ROOT, f"B={build}", f"APP={app}", f"{build}/onebell.efi"],
                          capture_output=True, text=True)


def app_in(folder, *sources):
    folder.mkdir()
    for name, text in sources:
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A build folder that holds the tree's own objects already."""
    return shutil.copytree(launch.BUILD, tmp_path_factory.mktemp("outside") / "build",
                           ignore=shutil.ignore_patterns("host", "tsan", "fuzz", "disks", "mutants", "qemu"))


@pytest.fixture(scope="module")
def image(build, tmp_path_factory):
    app = app_in(tmp_path_factory.mktemp("apps") / "my-app", ("hello.c", EXAMPLE.read_text()))
    done = make(build, app)
    assert (done.returncode, done.stderr) == (0, "")
    return shutil.copy(build / "onebell.efi", app / "onebell.efi")


def test_the_page_shows_the_example():
    assert EXAMPLE.read_text() in PAGE.read_text()


def test_the_page_names_headers_that_exist():
    named = re.findall(r"`((?:kernel|lib)/[a-z0-9_/]+\.h)`", PAGE.read_text())
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []
    included = re.findall(r'#include "(.*)"', EXAMPLE.read_text())
    assert set(included) <= set(named)


@pytest.mark.parametrize("mode", ["adaptive", "remapped"])
def test_it_runs(boot, image, mode):
    run = boot(f"irq={mode} app=hello rate=200", image=image, cpus=CPUS, disks=stamped(1)).ended_well()
    for cpu in range(CPUS):
        line = run.line(rf"CPU {cpu}: 200 reads, \d+ ns each")
        assert int(re.search(r"(\d+) ns", line)[1]) > 0


def test_ours_are_still_there(boot, image):
    boot("app=job size=4m runtime=0 verify=crc32c", image=image, disks=stamped(1)).verified()


def test_its_error_is_an_error(boot, image):
    boot("app=hello", image=image, disks=[]).failed("hello-no-disk", "there is none")


def test_its_words_are_known_and_no_others(boot, image):
    boot("app=hello rate=0", image=image, disks=[]).failed("cmdline-range", "rate")
    boot("app=hello bs=4k", image=image, disks=[]).failed("cmdline-unknown", "bs=4k", "rate")
    boot("app=helo", image=image, disks=[]).failed("cmdline-choice", "hello", "job")


def test_names_are_taken_once(boot, build, tmp_path):
    text = EXAMPLE.read_text()
    app = app_in(tmp_path / "my-app", ("mine.c", text.replace('{ "hello"', '{ "job"')))
    assert make(build, app).returncode == 0
    image = shutil.copy(build / "onebell.efi", app / "onebell.efi")
    boot("", image=image, disks=[]).failed("app-bad", '"job"')


def test_options_are_named_once(boot, build, tmp_path):
    text = EXAMPLE.read_text()
    app = app_in(tmp_path / "my-app", ("hello.c", text.replace('"rate"', '"cpus"')))
    assert make(build, app).returncode == 0
    image = shutil.copy(build / "onebell.efi", app / "onebell.efi")
    boot("app=hello", image=image, disks=[]).failed("cmdline-tables", "cpus")


def test_what_does_not_compile_is_told(build, tmp_path):
    app = app_in(tmp_path / "my-app", ("hello.c", EXAMPLE.read_text()), ("oops.c", "int oops(void) {\n"))
    done = make(build, app)
    assert done.returncode != 0
    assert "oops.c:1" in done.stderr


def test_a_folder_without_sources_is_told(build, tmp_path):
    done = make(build, tmp_path / "nowhere")
    assert done.returncode != 0
    assert "nowhere: no .c file" in done.stderr
