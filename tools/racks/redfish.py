# SPDX-License-Identifier: BSD-2-Clause
"""One machine's BMC, by Redfish (DMTF DSP0266, DSP2046). Every request ends, and every failure is one
sentence without a secret in it."""
import contextlib
import logging
import time

import requests
import sushy
import urllib3
from sushy import auth, connector, exceptions

from .inventory import RackError

TEXT = 160  # of a BMC's own words
LOOK_EACH = 1.0  # s

# Its failures come as exceptions, too, of which a sentence is made here.
logging.getLogger("sushy").addHandler(logging.NullHandler())
logging.getLogger("sushy").propagate = False
UEFI = sushy.BootSourceOverrideMode.UEFI
CD = sushy.VirtualMediaType.CD, sushy.VirtualMediaType.DVD


class Adapter(requests.adapters.HTTPAdapter):
    """Ends each request, and keeps to the inventory's CA, over which the session would take that of
    REQUESTS_CA_BUNDLE."""

    def __init__(self, seconds, verify):
        super().__init__()
        self.seconds, self.verify = seconds, verify

    def send(self, request, timeout=None, verify=True, **more):
        return super().send(request, timeout=timeout or self.seconds,
                            verify=verify if self.verify is True else self.verify, **more)


class Connector(connector.Connector):
    """sushy's, which waits for an answer for ever."""

    def __init__(self, machine):
        super().__init__(machine.bmc, verify=machine.verify)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, Adapter(machine.bmc_timeout, machine.verify))
        if machine.verify is False:
            urllib3.disable_warnings()


def why_of(e):
    """A failure in a few words, and what to do."""
    text = " ".join(str(e).split())
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate isn't trusted: name its CA by ca"
    if isinstance(e, exceptions.AccessError):
        return "it refuses user and password"
    if isinstance(e, exceptions.ConnectionError):
        reasons = {"refused": "it refuses connections", "timed out": "it doesn't answer",
                   "resolve": "its name isn't known"}
        known = next((words for part, words in reasons.items() if part in text), "it can't be reached")
        return f"{known}: check its address and network"
    return text[:TEXT]


class Bmc:
    """To be used as a context, which ends the session at the BMC."""

    def __init__(self, machine):
        self.machine = machine
        self.auth = auth.SessionOrBasicAuth(machine.user, machine.password)
        self.changed = False  # from here on there is something to put back

    @contextlib.contextmanager
    def doing(self, what):
        try:
            yield
        except (exceptions.SushyError, requests.RequestException, ValueError) as e:
            raise RackError(f"{self.machine.bmc}: {what}: {why_of(e)}") from None
        except (AttributeError, IndexError, KeyError, TypeError) as e:  # in sushy, of an answer
            # Sushy 5.5 looks for words in a refusal that has none.
            why = "it answers what no Redfish service should: update its firmware"
            if isinstance(e.__context__, exceptions.SushyError):
                why = why_of(e.__context__)
            raise RackError(f"{self.machine.bmc}: {what}: {why}") from None

    def __enter__(self):
        with self.doing("to begin"):
            self.connector = Connector(self.machine)
            self.root = sushy.Sushy(self.machine.bmc, connector=self.connector, auth=self.auth)
            self.system = self.system_of(self.root)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):  # one that a dead BMC keeps ends by itself
            self.auth.close()
        self.connector.close()

    def system_of(self, root):
        if self.machine.system:
            return root.get_system(self.machine.system)
        found = root.get_system_collection().get_members()
        if len(found) != 1:
            paths = ", ".join(system.path for system in found)
            raise ValueError(f"it has {len(found)} systems: name one by system: {paths}")
        return found[0]

    # ---- what it is ----

    def facts(self):
        """The `bmc` line of a capture: docs/racks.md."""
        with self.doing("to ask what the machine is"):
            body, manager = self.system.json, self.system.managers[0]
            maker = " ".join(filter(None, (body.get("Manufacturer"), body.get("Model"))))
            return {"type": "bmc", "model": maker, "bios": body.get("BiosVersion") or "",
                    "firmware": manager.firmware_version or ""}

    def is_on(self):
        with self.doing("to ask for the power state"):
            self.system.refresh(force=True)
            return self.system.power_state != sushy.PowerState.OFF

    # ---- the medium ----

    def drive(self):
        for manager in self.system.managers:
            for medium in manager.virtual_media.get_members():
                if set(CD) & set(medium.media_types or []):
                    return medium
        raise ValueError("it has no virtual CD-ROM: use boot = \"http\"")

    def insert(self, url):
        with self.doing("to insert the image into the virtual CD-ROM"):
            drive = self.drive()
            self.changed = True
            if drive.inserted:
                drive.eject_media()
            drive.insert_media(url)
            self.wait_for(drive)

    def wait_for(self, drive):
        """Some BMCs answer first, and get the image then."""
        end = time.monotonic() + self.machine.bmc_timeout
        drive.refresh(force=True)
        while not drive.inserted:
            if time.monotonic() > end:
                raise ValueError(f"it took it, and inserted nothing within {self.machine.bmc_timeout} s: "
                                 "see whether it reaches the image's address")
            time.sleep(LOOK_EACH)
            drive.refresh(force=True)

    def mode(self):
        """UEFI, where the machine boots otherwise; what is so already, some BMCs refuse to set."""
        mode = self.system.boot.mode
        return None if mode in (None, UEFI) else UEFI

    def boot_from_cd_once(self):
        with self.doing("to set the next boot to the virtual CD-ROM"):
            self.system.set_system_boot_options(target=sushy.BootSource.CD, mode=self.mode(),
                                                enabled=sushy.BootSourceOverrideEnabled.ONCE)

    def boot_by_http_once(self, url):
        with self.doing("to set the next boot to UEFI HTTP"):
            offered = self.system.get_allowed_system_boot_source_values()
            if sushy.BootSource.UEFI_HTTP not in offered:
                raise ValueError("it doesn't offer UefiHttp: use boot = \"cd\"")
            self.changed = True
            boot = {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "UefiHttp",
                    "HttpBootUri": url}
            if self.mode():
                boot["BootSourceOverrideMode"] = self.mode().value
            self.connector.patch(self.system.path, data={"Boot": boot})

    def set_boot(self, url):
        if self.machine.boot == "http":
            self.boot_by_http_once(url)
        else:
            self.insert(url)
            self.boot_from_cd_once()

    def clear_boot(self):
        """Nothing of ours is left: a boot that was to be once and wasn't used, the medium."""
        with self.doing("to let the machine boot as before"):
            self.system.set_system_boot_options(enabled=sushy.BootSourceOverrideEnabled.DISABLED)
            if self.machine.boot == "cd" and (drive := self.drive()).inserted:
                drive.eject_media()

    # ---- power ----

    def switch_on(self):
        with self.doing("to switch the machine on"):
            self.system.reset_system(sushy.ResetType.ON)

    def restart(self):
        with self.doing("to restart the machine"):
            self.system.reset_system(sushy.ResetType.FORCE_RESTART)

    def switch_off(self):
        with self.doing("to switch the machine off"):
            self.system.reset_system(sushy.ResetType.FORCE_OFF)
