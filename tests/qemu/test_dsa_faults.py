# SPDX-License-Identifier: BSD-2-Clause
"""Accelerators (Intel DSA) of the platform model in trouble: each thing that goes wrong is told once, in words,
each request ends once, and others go on."""
import re

from conftest import launch, stamped

COUNT = 800  # descriptors of each device
FAILED = "WQ 0: a move of 4096 bytes failed: "

# Devices that are wrong in a way each, twice in COUNT: the warning, and how many requests fail or have wrong data.
WAYS = [
    ("astray:400", "dsa-descriptor", FAILED + "a read of memory that isn't granted to it, or its hardware failed "
     r"\(status 0x20\)", 1, 1),
    ("full:400", "dsa-error", r"move of WQ 0 was refused: the work queue is full \(SWERROR 0x53\)", 2, 0),
    ("garbled:400", "dsa-descriptor",
     FAILED + r"the operation isn't known, or not allowed \(status 0x10\)", 2, 0),
    ("fault:400", "dsa-descriptor", FAILED + "a page fault: what it was to reach is not granted to it "
     r"\(status 0x03, a write at 0x[0-9a-f]+\)", 2, 0),
    ("error:400", "dsa-descriptor", FAILED + r".*, or its hardware failed \(status 0x20\)", 2, 0),
    ("garbage:400", "dsa-descriptor", FAILED + r"an error that isn't known \(status 0x3f\)", 2, 0),
    ("corrupt:400", None, None, 0, 2),
    ("none", None, None, 0, 0),
]


def whole(run):
    """The row, in which all that was submitted ended, and nothing twice."""
    row = run.one("dsa_job")
    assert row["completed"] == row["submitted"] > 0, row
    assert row["twice"] == 0, row
    return row


def label(run, index):
    return f"dsa{index} ({run.one('dsa', name=f'dsa{index}')['pci']})"


def counted(run, counter):
    """By the model, for each device."""
    found = {dsa["id"]: dsa[counter] for dsa in run.model["dsa"]}
    return [found[f"dsa{i}"] for i in range(len(found))]


def check_what_was_blocked(run):
    """A device that turns an address bit over: without ATS it learns of the read, and nobody but the IOMMU of
    the write, whose data is missed."""
    astray = run.one("dsa", name="dsa0")["pci"]
    read, write = run.of("fault")
    for fault, access, reason in ((read, "read", 6), (write, "write", 5)):
        assert (fault["source"], fault["access"], fault["reason"]) == (astray, access, reason)
        assert int(fault["address"], 16) >> 38 == 1
        assert (f"blocked a {access} of {astray} at {fault['address']} (no RAM of ours): it may not {access} "
                "there") in fault["message"]
        assert run.console.count(fault["message"]) == 1


def test_each_is_wrong_in_its_own_way(boot):
    """Queues take 8: more requests wait for their turn. A disk is read meanwhile."""
    run = boot(f"app=dsa rows=now op=memmove count={len(WAYS) * COUNT} beside=reads verify=crc32c", cpus=1,
               disks=stamped(1), dsa=len(WAYS),
               dsa_options=[{"total-size": 8, "plant": plant} for plant, *_ in WAYS])
    assert [dsa["depth"] for dsa in run.of("dsa")] == [8] * len(WAYS)
    row = whole(run)
    assert row["completed"] == len(WAYS) * COUNT
    assert row["errors"] == sum(errors for *_, errors, _ in WAYS)
    assert row["verify_errors"] == sum(wrong for *_, wrong in WAYS)
    assert row["reads"] > 100
    for i, (_, what, words, _, _) in enumerate(WAYS):
        told = [w for w in run.of("warning") if w["message"].startswith(label(run, i))]
        assert [w["what"] for w in told] == ([what] if what else []), told
        assert not what or re.fullmatch(re.escape(label(run, i)) + ": " + words, told[0]["message"])
    run.check_warnings()
    assert counted(run, "failed") == [1, 0, 2, 2, 2, 0, 0, 0]
    assert counted(run, "dropped") == [0, 2, 0, 0, 0, 0, 0, 0]
    assert counted(run, "submitted") == [COUNT, COUNT - 2] + [COUNT] * 6 == counted(run, "completed")
    check_what_was_blocked(run)
    assert [error["what"] for error in run.of("error")] == ["vtd-fault", "vtd-fault", "dsa-run"]
    assert run.status == launch.EXIT_FAILED


# Devices that can't be used.
REFUSED = [
    ({"vectors": 1}, "dsa-vectors", "1 MSI-X vectors, and two are needed"),
    ({"max-transfer": 8}, "dsa-limits", "a transfer has at most 2^8 bytes"),
    ({"handles": "on", "max-handles": 0}, "dsa-command", "it has no more interrupt handles"),
    ({"plant": "stuck"}, "dsa-command", 'command "reset device" has no end after 2 s'),
]


def test_those_that_cannot_be_used_are_left_out(boot):
    run = boot("app=dsa rows=now", cpus=1, disks=[], dsa=len(REFUSED),
               dsa_options=[options for options, *_ in REFUSED]).failed("dsa-none")
    warnings = run.of("warning")
    assert len(warnings) == len(REFUSED)
    for i, (warning, (_, what, words)) in enumerate(zip(warnings, REFUSED)):
        assert warning["what"] == what and words in warning["message"]
        assert re.match(rf"dsa{i} \(0000:00:0[0-9].0\): ", warning["message"])
    run.check_warnings()


def test_revoked_and_halted_under_load(boot_and_say):
    """What was on its way with a revoked handle goes out anew; what a halted device had ends in an error; and
    the one that nothing was done to has none."""
    commands = [f"qom-set /machine/peripheral/dsa{n} revoke on" for n in (0, 1, 0, 0, 1)]
    commands.append("qom-set /machine/peripheral/dsa2 halt function")
    run = boot_and_say("app=dsa rows=now op=memmove bs=4k runtime=3s", "dsa1 .*handles were revoked", *commands,
                       cpus=1, dsa=4, dsa_options=[{"handles": "on"}, {"handles": "on", "plant": "revoke:100"}, {}, {}])
    run.failed("dsa-run")
    row = whole(run)
    assert row["verify_errors"] == 0
    submitted, completed, dropped = (counted(run, c) for c in ("submitted", "completed", "dropped"))
    assert row["errors"] == submitted[2] - completed[2] + dropped[2] > 0
    assert (submitted[3], dropped[3]) == (completed[3], 0)
    assert dropped[:2] == [0, 0] == [s - c for s, c in zip(submitted[:2], completed[:2])]
    assert run.one("warning")["what"] == "dsa-halted"
    assert f"{label(run, 2)}: it has halted (GENSTS 0x7), and would need a function level reset" in \
        run.one("warning")["message"]
    for i in (0, 1):
        assert run.console.count(f"{label(run, i)}: interrupt handles were revoked, and are asked for anew") == 1
    assert re.search(r"dsa0 .* handles revoked [1-3] times", run.console)
    assert int(re.search(r"dsa1 .* handles revoked (\d+) times", run.console)[1]) > 3
