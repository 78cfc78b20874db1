# SPDX-License-Identifier: BSD-2-Clause
"""The inventory of tools/fleet: what is taken, and the one sentence for what is not."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from racks import inventory

GOOD = """
[rack]
user = "operator"
password_file = "secret"
serve = "192.0.2.10:8080"
timeout = 100

[machines.a]
bmc = "https://a.example/"
console = "nc host 'a b'"

[machines.b]
bmc = "https://b.example"
console = "nc host 7002"
boot = "http"
timeout = 7
"""


@pytest.fixture
def read(tmp_path):
    (tmp_path / "secret").write_text("word\n")
    (tmp_path / "secret").chmod(0o600)

    def run(text):
        (tmp_path / "rack.toml").write_text(text)
        return inventory.read(tmp_path / "rack.toml")

    run.folder = tmp_path
    return run


def test_good(read):
    rack = read(GOOD)
    a, b = rack.machines
    assert (rack.serve, rack.at_once, rack.image) == (("192.0.2.10", 8080), 8, None)
    assert (a.name, a.bmc, a.console) == ("a", "https://a.example", ["nc", "host", "a b"])
    assert (a.user, a.password, a.verify, a.boot, a.restart) == ("operator", "word", True, "cd", False)
    assert (a.timeout, b.timeout, a.boot_timeout, b.boot) == (100, 7, 600, "http")


def test_a_password_is_not_shown(read):
    assert "word'" not in repr(read(GOOD).machines[0])


def test_password_from_the_environment(read, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", "other")
    rack = read(GOOD.replace('password_file = "secret"', 'password_env = "LAB_PASSWORD"'))
    assert rack.machines[0].password == "other"


def test_chosen(read):
    rack = read(GOOD)
    assert [m.name for m in inventory.chosen(rack, [])] == ["a", "b"]
    assert [m.name for m in inventory.chosen(rack, ["b", "b"])] == ["b"]
    with pytest.raises(inventory.RackError, match="c: is no machine of the inventory: a, b"):
        inventory.chosen(rack, ["b", "c"])


WRONG = [
    ('user = "operator"', "", "machines.a: user is missing"),
    ('user = "operator"', 'password = "word"', "rack: a password doesn't belong here"),
    ('user = "operator"', "user = 7", "rack: user is 7, and should be a text"),
    ('user = "operator"', 'usr = "operator"', "rack: usr is no key of it: image, serve"),
    ("timeout = 100", "timeout = 0", "machines.a: timeout is 0, and should be from 1 to 604800"),
    ("timeout = 100", "timeout = true", "rack: timeout is True, and should be a whole number"),
    ("timeout = 100", "at_once = 65", "rack: at_once is 65, and should be from 1 to 64"),
    ('"192.0.2.10:8080"', '"8080"', "rack: serve is '8080', and should be like 192.0.2.1:8080"),
    ('"192.0.2.10:8080"', '"a:70000"', "rack: serve is 'a:70000'"),
    ("https://a.example/", "http://a.example", "machines.a: bmc is 'http://a.example', where the password would go"),
    ("https://a.example/", "https://u:word@a.example", "machines.a: bmc has a user or a password in it"),
    ("https://a.example/", "a.example", "machines.a: bmc is 'a.example', and should be like"),
    ("\"nc host 'a b'\"", '"nc \'"', "machines.a: console can't be split into words: No closing quotation"),
    ("\"nc host 'a b'\"", '""', "machines.a: console is missing"),
    ('boot = "http"', 'boot = "pxe"', "machines.b: boot is 'pxe', and should be cd or http"),
    ('boot = "http"', 'ca = "none.pem"', "machines.b: ca names .*/none.pem, which is no file"),
    ('"secret"', '"none"', ".*/none: No such file or directory: password_file should name"),
    ("[machines.b]", '[machines."../b"]', "machines.../b: a name is made of letters"),
    ("[rack]", "[lab]\n[rack]", "inventory: lab is no key of it: rack, machines"),
    ("[machines.b]", "[machines.b", "is no TOML: "),
    (GOOD[GOOD.index("[machines.a]"):], "", "machines: there is none"),
]


@pytest.mark.parametrize("old, new, words", WRONG)
def test_wrong(read, old, new, words):
    assert old in GOOD
    with pytest.raises(inventory.RackError, match=words) as error:
        read(GOOD.replace(old, new))
    assert str(error.value).startswith(str(read.folder)) and "\n" not in str(error.value)
    assert ":word@" not in str(error.value)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_password_that_others_can_read(read, mode):
    (read.folder / "secret").chmod(mode)
    with pytest.raises(inventory.RackError, match="secret: others than its owner may read the password: chmod 600"):
        read(GOOD)


def test_an_empty_password(read):
    (read.folder / "secret").write_text("\n")
    with pytest.raises(inventory.RackError, match="secret: has no password in its first line"):
        read(GOOD)


def test_no_inventory(tmp_path):
    with pytest.raises(inventory.RackError, match="none.toml: No such file or directory: name a rack's inventory"):
        inventory.read(tmp_path / "none.toml")
