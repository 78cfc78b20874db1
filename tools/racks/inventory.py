# SPDX-License-Identifier: BSD-2-Clause
"""Reads a rack's inventory: TOML, as docs/racks.md has it. Nothing is asked of any machine."""
import os
import re
import shlex
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")  # also a file's
MOST_AT_ONCE = 64
LONGEST = 7 * 24 * 3600  # s


class RackError(Exception):
    """One sentence: what, its value, what to do."""


@dataclass
class Machine:
    name: str
    bmc: str  # https://HOST[:PORT]
    console: list  # a command that says what the machine's serial port with the JSON lines says
    user: str
    password: str = field(repr=False)
    system: str | None  # the Redfish path of one of a BMC's systems
    verify: object  # of TLS certificates: True, False, or the file of a CA
    boot: str  # cd or http
    url: str | None  # of the image; else the fleet serves it
    bmc_timeout: int  # s, for an answer of the BMC
    boot_timeout: int  # s, from power-on to the first line
    timeout: int  # s, from then to the end
    restart: bool  # a machine that is on may be restarted


@dataclass
class Rack:
    machines: list
    image: Path | None
    serve: tuple | None  # address and port at which BMCs, or firmware, reach this host
    at_once: int


# Keys of [rack] alone, and those that stand there for all machines and may stand in a machine's table.
RACK_KEYS = {"image": str, "serve": str, "at_once": int}
SHARED_KEYS = {"user": str, "password_file": str, "password_env": str, "ca": str, "insecure": bool,
               "boot": str, "url": str, "bmc_timeout": int, "boot_timeout": int, "timeout": int,
               "restart": bool}
MACHINE_KEYS = {"bmc": str, "console": str, "system": str}
DEFAULTS = {"boot": "cd", "bmc_timeout": 60, "boot_timeout": 600, "timeout": 3600, "insecure": False,
            "restart": False}
KINDS = {str: "a text", int: "a whole number", bool: "true or false"}


def check_keys(where, table, known):
    for key, value in table.items():
        if key == "password":
            raise RackError(f"{where}: a password doesn't belong here: put it into a file that only you "
                            "can read, and name that by password_file")
        if key not in known:
            raise RackError(f"{where}: {key} is no key of it: {', '.join(known)}")
        if type(value) is not known[key]:
            raise RackError(f"{where}: {key} is {value!r}, and should be {KINDS[known[key]]}")


def needed(where, table, key):
    if not table.get(key):
        raise RackError(f"{where}: {key} is missing")
    return table[key]


def within(where, key, value, most):
    if not 1 <= value <= most:
        raise RackError(f"{where}: {key} is {value}, and should be from 1 to {most}")
    return value


# ---- secrets ----

def password_of(where, table, folder):
    """From a file or the environment, never from the inventory or a command line."""
    if "password_env" in table:
        value = os.environ.get(table["password_env"])
        if not value:
            raise RackError(f"{where}: the environment has no {table['password_env']}, which password_env "
                            "names")
        return value
    path = folder / needed(where, table, "password_file")
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise RackError(f"{path}: others than its owner may read the password: chmod 600 {path}")
        lines = path.read_text().splitlines()
    except OSError as e:
        raise RackError(f"{path}: {e.strerror}: password_file should name a file with a "
                        "password") from None
    if not lines or not lines[0]:
        raise RackError(f"{path}: has no password in its first line")
    return lines[0]


def bmc_of(where, table):
    url = needed(where, table, "bmc")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise RackError(f"{where}: bmc has a user or a password in it: give them by user and "
                        "password_file")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise RackError(f"{where}: bmc is '{url}', and should be like https://bmc1.example")
    if parts.scheme == "http" and not table["insecure"]:
        raise RackError(f"{where}: bmc is '{url}', where the password would go in the clear: use https, or "
                        "say insecure = true")
    return url.rstrip("/")


def verify_of(where, table, folder):
    if table["insecure"]:
        return False
    if "ca" not in table:
        return True
    path = folder / table["ca"]
    if not path.is_file():
        raise RackError(f"{where}: ca names {path}, which is no file")
    return str(path)


# ---- tables ----

def command_of(where, text):
    try:
        words = shlex.split(text)
    except ValueError as e:
        raise RackError(f"{where}: console can't be split into words: {e}") from None
    if not words:
        raise RackError(f"{where}: console is missing")
    return words


def machine_of(name, own, shared, folder):
    where = f"machines.{name}"
    if not NAME.fullmatch(name):
        raise RackError(f"{where}: a name is made of letters, digits, '.', '_' and '-'")
    if not isinstance(own, dict):
        raise RackError(f"{where}: is {own!r}, and should be a table")
    check_keys(where, own, {**MACHINE_KEYS, **SHARED_KEYS})
    table = {**DEFAULTS, **shared, **own}
    if table["boot"] not in ("cd", "http"):
        raise RackError(f"{where}: boot is '{table['boot']}', and should be cd or http")
    times = {key: within(where, key, table[key], LONGEST)
             for key in ("bmc_timeout", "boot_timeout", "timeout")}
    return Machine(name=name, bmc=bmc_of(where, table), system=table.get("system"),
                   console=command_of(where, needed(where, table, "console")),
                   user=needed(where, table, "user"), password=password_of(where, table, folder),
                   verify=verify_of(where, table, folder), boot=table["boot"], url=table.get("url"),
                   restart=table["restart"], **times)


def address_of(text):
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise RackError(f"rack: serve is '{text}', and should be like 192.0.2.1:8080")
    return host, int(port)


def rack_of(document, folder):
    check_keys("inventory", document, {"rack": dict, "machines": dict})
    shared = dict(document.get("rack", {}))
    check_keys("rack", shared, {**RACK_KEYS, **SHARED_KEYS})
    own = {key: shared.pop(key) for key in RACK_KEYS if key in shared}
    machines = [machine_of(name, table, shared, folder)
                for name, table in document.get("machines", {}).items()]
    if not machines:
        raise RackError("machines: there is none: begin each one with [machines.NAME]")
    return Rack(machines=machines, image=folder / own["image"] if "image" in own else None,
                serve=address_of(own["serve"]) if "serve" in own else None,
                at_once=within("rack", "at_once", own.get("at_once", 8), MOST_AT_ONCE))


def read(path):
    path = Path(path)
    try:
        with open(path, "rb") as file:
            return rack_of(tomllib.load(file), path.resolve().parent)
    except OSError as e:
        raise RackError(f"{path}: {e.strerror}: name a rack's inventory") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise RackError(f"{path}: is no TOML: {e}") from None
    except RackError as e:
        raise RackError(f"{path}: {e}" if not str(e).startswith(str(path)) else str(e)) from None


def chosen(rack, names):
    """The machines of these names; all if there is none."""
    known = {machine.name: machine for machine in rack.machines}
    for name in names:
        if name not in known:
            raise RackError(f"{name}: is no machine of the inventory: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or rack.machines
