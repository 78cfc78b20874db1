# SPDX-License-Identifier: BSD-2-Clause
"""tools/setup.sh: what it makes of a machine's os-release and apt sources. Nothing is installed."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "tools/setup.sh"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
OPTIONAL = ["clang-format-19", "lava-dispatcher", "python3-labgrid", "python3-virt-firmware"]

pytestmark = pytest.mark.skipif(not shutil.which("apt-get"), reason="needs apt")


# The sources are apt's own business; whatever changes a machine is written down, and not done.
APT_GET = """
case " $* " in
*" indextargets "*) exec {real} "$@" ;;
esac
echo "$*" >>{top}/commands
[ "$1" != update ] || touch {top}/updated
"""

# What the release has is known once there was an update.
APT_CACHE = """
[ ! -e {top}/updated ] || grep -x "$2" {top}/archive
"""


class System:
    """An /etc of its own, and package tools that answer from lists and change nothing."""

    def __init__(self, top, version, codename):
        self.top = top
        self.etc = top / "etc"
        self.bin = top / "bin"
        (self.etc / "apt/sources.list.d").mkdir(parents=True)
        self.bin.mkdir()
        self.tool("apt-get", APT_GET.format(real=shutil.which("apt-get"), top=top))
        self.tool("apt-cache", APT_CACHE.format(top=top))
        self.tool("dpkg-query", f"cat {top}/packages\n")
        self.tool("sudo", 'exec "$@"\n')
        self.installed({})
        self.has(OPTIONAL)
        self.release(f'PRETTY_NAME="Debian {version}"\nID=debian\nVERSION_ID="{version}"\n'
                     f"VERSION_CODENAME={codename}\n")

    def tool(self, name, text):
        (self.bin / name).write_text("#!/bin/sh\n" + text)
        (self.bin / name).chmod(0o755)

    def release(self, text):
        (self.etc / "os-release").write_text(text)

    def sources(self, text, file="sources.list"):
        (self.etc / "apt" / file).write_text(text)

    def installed(self, packages):
        """packages: name -> version."""
        lines = "".join(f"{name} installed {version}\n" for name, version in packages.items())
        (self.top / "packages").write_text(lines)

    def has(self, optional):
        """The release has these of the packages that one may lack."""
        (self.top / "archive").write_text("".join(f"{name}\n" for name in optional))

    def run(self, *args):
        env = {**os.environ, "SETUP_ETC": str(self.etc), "LC_ALL": "C",
               "PATH": f"{self.bin}:{os.environ['PATH']}"}
        return subprocess.run([SETUP, *args], env=env, capture_output=True, text=True)

    def needed(self, *step):
        return [line.split()[0] for line in self.run(*step, "--list").stdout.splitlines()]

    def commands(self):
        """What apt-get was told to change."""
        file = self.top / "commands"
        return file.read_text().splitlines() if file.exists() else []

    def installs(self, *step):
        """The packages that a step installs, with the lists up to date."""
        done = self.run(*step)
        assert done.returncode == 0, done.stderr
        update, *installs = self.commands()
        assert update == "update"
        assert all(command.startswith("install -y ") for command in installs)
        return sorted(word for command in installs for word in command.split()[2:]
                      if word not in ("--no-install-recommends", "-t", "bookworm-backports"))


@pytest.fixture
def debian12(tmp_path):
    return System(tmp_path, 12, "bookworm")


@pytest.fixture
def debian13(tmp_path):
    return System(tmp_path, 13, "trixie")


def stanza(uri, *more):
    return "\n".join(["Types: deb", f"URIs: {uri}", "Suites: bookworm-backports",
                      "Components: main", *more, ""])


def test_backports_from_deb822(debian12):
    debian12.sources("# a comment\n\n"
                     "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\n"
                     "Suites: bookworm\nComponents: main\n\n"
                     "Types: deb\nURIs: http://a.example/debian-security\n"
                     "Suites: bookworm-security\nComponents: main\nSigned-By: /other.gpg\n\n"
                     "Types: deb deb-src\n# one more\nURIs: http://a.example/debian\n"
                     f"Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: {KEYRING}\n",
                     "sources.list.d/debian.sources")
    assert debian12.run("--source").stdout == stanza("http://a.example/debian/",
                                                     f"Signed-By: {KEYRING}")


def test_backports_with_an_embedded_key(debian12):
    key = ["Signed-By:", " -----BEGIN PGP PUBLIC KEY BLOCK-----", " .", " abc",
           " -----END PGP PUBLIC KEY BLOCK-----"]
    debian12.sources("\n".join(["Types: deb", "URIs: http://a.example/debian", *key,
                                "Suites: bookworm", "Components: main", ""]),
                     "sources.list.d/debian.sources")
    assert debian12.run("--source").stdout == stanza("http://a.example/debian/", *key)


def test_backports_from_one_line_sources(debian12):
    debian12.sources("# a comment\n"
                     "deb http://a.example/debian-security bookworm-security main\n"
                     f"deb [ arch=amd64 signed-by={KEYRING} ] http://b.example/debian bookworm main\n")
    assert debian12.run("--source").stdout == stanza("http://b.example/debian/",
                                                     f"Signed-By: {KEYRING}")


def test_backports_without_a_named_key(debian12):
    debian12.sources("deb cdrom:[Debian 12 _Bookworm_]/ bookworm main\n"
                     "deb http://b.example/debian bookworm main contrib\n")
    assert debian12.run("--source").stdout == stanza("http://b.example/debian/")


def test_no_archive_to_derive_from(debian12):
    debian12.sources("deb http://b.example/debian-security bookworm-security main\n")
    for args in ["--source"], ["--dry-run"]:
        done = debian12.run(*args)
        assert done.returncode == 1
        assert "bookworm-backports" in done.stderr
        assert done.stderr.count("\n") == 1


def test_adds_backports_on_debian_12(debian12):
    debian12.sources("deb http://b.example/debian bookworm main\n")
    done = debian12.run("--dry-run")
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0].startswith("setup: installs from bookworm: ")
    assert " nasm " in said[0] and "qemu" not in said[0]
    assert said[1] == "setup: installs from bookworm-backports: qemu-system-x86"
    assert said[2].endswith("onebell-backports.sources:")
    assert "  URIs: http://b.example/debian/" in said


def test_uses_backports_that_are_there(debian12):
    debian12.sources("deb http://b.example/debian bookworm main\n"
                     "deb http://c.example/debian bookworm-backports main\n")
    said = debian12.run("--dry-run").stdout
    assert "installs from bookworm-backports: qemu-system-x86\n" in said
    assert "adds" not in said


def test_replaces_a_qemu_that_is_too_old(debian12):
    debian12.sources("deb http://c.example/debian bookworm-backports main\n")
    debian12.installed({**dict.fromkeys(debian12.needed(), "1.0"),
                        "qemu-system-x86": "1:7.2+dfsg-7+deb12u15"})
    assert debian12.run("--dry-run").stdout == (
        "setup: installs from bookworm-backports: qemu-system-x86\n")


@pytest.mark.parametrize("step", [[], ["run"], ["test"], ["linux"]])
def test_nothing_to_do(debian12, step):
    debian12.installed({**dict.fromkeys(debian12.needed(*step), "1.0"),
                        "qemu-system-x86": "1:10.0.2+ds-2~bpo12+1"})
    done = debian12.run(*step)
    assert (done.returncode, done.stdout) == (0, "setup: nothing to install\n")
    assert debian12.commands() == []


def test_what_running_needs(debian12):
    """And no more: nothing of the tests comes with the first try of the image."""
    needed = debian12.needed("run")
    assert {"gcc", "nasm", "gnu-efi", "qemu-system-x86", "ovmf", "python3"} <= set(needed)
    tests_only = re.compile("clang|cppcheck|libcmocka|mtools|python3-pytest|spin")
    assert not list(filter(tests_only.match, needed))


def test_each_package_once(debian12):
    for step in "test", "linux":
        assert len(set(debian12.needed(step))) == len(debian12.needed(step))


def test_what_the_comparison_needs_is_its_own(debian12):
    needed = set(debian12.needed("linux"))
    assert set(debian12.needed("run")) < needed
    assert {"linux-source-6.12", "fio", "busybox-static", "flex", "bison", "cpio"} <= needed
    assert not {"linux-source-6.12", "busybox-static"} & set(debian12.needed("test"))


def test_where_linux_comes_from(debian12):
    assert re.search("linux-source-6.12 +bookworm-backports\n", debian12.run("linux", "--list").stdout)
    debian12.release('ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n')
    assert re.search("linux-source-6.12 +trixie\n", debian12.run("linux", "--list").stdout)


def test_steps_install_their_own_packages(debian12):
    debian12.sources("deb http://b.example/debian bookworm main\n")
    run, report, test = map(debian12.needed, ("run", "report", "test"))
    assert set(run) < set(report) < set(test)
    assert debian12.installs("run") == sorted(run)
    assert debian12.commands()[-1].endswith(" -t bookworm-backports qemu-system-x86")
    source = debian12.etc / "apt/sources.list.d/onebell-backports.sources"
    assert source.read_text() == stanza("http://b.example/debian/")

    debian12.installed(dict.fromkeys(run, "1:10.0"))
    (debian12.top / "commands").unlink()
    assert debian12.installs("test") == sorted(set(test) - set(run))


def test_everything_without_a_step(debian13):
    assert debian13.needed() == debian13.needed("test")
    assert debian13.installs() == sorted(debian13.needed("test"))


def test_a_release_without_an_optional_package(debian13):
    debian13.has([])
    assert debian13.installs("test") == sorted(set(debian13.needed()) - set(OPTIONAL))

    debian13.installed({name: "1:10.0" for name in debian13.needed() if name not in OPTIONAL})
    (debian13.top / "commands").unlink()
    done = debian13.run("test")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "setup: apt's lists have no clang-format-19: the check of C's formatting is skipped\n"
        "setup: apt's lists have no python3-virt-firmware: what tests Secure Boot and HTTP boot is skipped\n"
        "setup: apt's lists have no lava-dispatcher: what tests tools/lava is skipped\n"
        "setup: apt's lists have no python3-labgrid: what tests tools/labgrid is skipped\n"
        "setup: nothing to install\n")
    assert debian13.commands() == []


def test_an_optional_package_alone(debian13):
    """The lists are there from the rest's installation, and may be old."""
    debian13.installed({name: "1:10.0" for name in debian13.needed() if name not in OPTIONAL})
    (debian13.top / "updated").touch()
    assert debian13.installs("test") == OPTIONAL


def test_dry_run_changes_nothing(debian12):
    debian12.sources("deb http://b.example/debian bookworm main\n")
    for step in "run", "test":
        assert " nasm " in debian12.run(step, "--dry-run").stdout
    assert debian12.commands() == []
    assert list((debian12.etc / "apt/sources.list.d").iterdir()) == []


def test_removed_packages_are_missing(debian13):
    needed = dict.fromkeys(debian13.needed(), "1:10.0")
    debian13.installed(needed)
    packages = debian13.top / "packages"
    packages.write_text(packages.read_text().replace("nasm installed", "nasm config-files"))
    assert debian13.run("--dry-run").stdout == "setup: installs from trixie: nasm\n"


def test_packages_with_their_architecture(debian13):
    debian13.installed({f"{name}:amd64": "1:10.0" for name in debian13.needed()})
    assert debian13.run("--dry-run").stdout == "setup: nothing to install\n"


def test_debian_13_needs_no_backports(debian13):
    done = debian13.run("run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("setup: installs from trixie: ")
    assert " qemu-system-x86" in done.stdout
    assert done.stdout.count("\n") == 1
    assert debian13.run("--source").stdout == ""


@pytest.mark.parametrize("release, name", [
    ('PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nVERSION_ID="24.04"\n', "Ubuntu 24.04"),
    ('PRETTY_NAME="Debian 11"\nID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\n', "Debian 11"),
    ("", "an unknown system"),
])
def test_other_systems(debian12, release, name):
    debian12.release(release)
    done = debian12.run()
    assert done.returncode == 1
    assert name in done.stderr
    assert "  nasm\n" in done.stderr and "  qemu-system-x86\n" in done.stderr
    assert "  clang-format-19 " in done.stderr and "make SETUP=true test\n" in done.stderr
    assert "clang" not in debian12.run("run").stderr


@pytest.mark.parametrize("words", [["--lsit"], ["all"], ["run", "tests"]])
def test_unknown_words(debian12, words):
    done = debian12.run(*words)
    assert (done.returncode, done.stdout) == (1, "")
    for known in ("run", "report", "media", "fleet", "test", "linux", "--list", "--dry-run", "--source",
                  f"'{words[-1]}'"):
        assert known in done.stderr.split("setup: ")[1]


def test_no_address_in_the_project():
    assert "://" not in SETUP.read_text()


@pytest.mark.parametrize("target, step", [
    ("run", "run"), ("debug", "run"), ("report", "report"), ("image", "media"),
    ("iso", "media"), ("dist", "media"), ("fleet", "fleet"), ("test", "test"), ("setup", ""),
    ("compare-linux", "linux"), ("test-linux", "linux")])
def test_make_targets(tmp_path, target, step):
    setup = tmp_path / "setup"
    setup.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/steps\nexit 1\n')
    setup.chmod(0o755)
    done = subprocess.run(["make", "-C", ROOT, f"SETUP={setup}", target], capture_output=True)
    assert done.returncode != 0
    assert (tmp_path / "steps").read_text() == f"{step}\n"


def test_style_without_its_formatter():
    done = subprocess.run(
        ["make", "-C", ROOT, "CLANG_FORMAT=no-such-tool", "CPPCHECK=true", "style"],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "formatting: skipped: no-such-tool is not installed\n" in done.stdout
    assert "includes: in order\n" in done.stdout
