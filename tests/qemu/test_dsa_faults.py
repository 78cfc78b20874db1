# SPDX-License-Identifier: BSD-2-Clause
"""Accelerators (Intel DSA) of the platform model in trouble: each thing that goes wrong is told once, in words,
each request ends once, and others go on."""
from conftest import launch, stamped


def whole(run):
    """The row, in which all that was submitted ended, and nothing twice."""
    row = run.one("dsa_job")
    assert row["completed"] == row["submitted"] > 0, row
    assert row["twice"] == 0, row
    return row


def counted(run, counter):
    """By the model, for each device."""
    return {dsa["id"]: dsa[counter] for dsa in run.model["dsa"]}


def test_queues_that_are_full(boot):
    """More requests than a queue takes wait for their turn; what the device drops all the same is told of, and
    fails."""
    run = boot("app=dsa rows=now op=memmove count=8000 iodepth=64", cpus=1, disks=[], dsa=2,
               dsa_options=[{"plant": "full:1000", "total-size": 8}, {"total-size": 8}])
    assert {dsa["depth"] for dsa in run.of("dsa")} == {8}
    row = whole(run)
    assert (row["completed"], row["verify_errors"]) == (8000, 0)
    assert counted(run, "dropped") == {"dsa0": row["errors"], "dsa1": 0}
    assert row["errors"] == 4
    assert run.one("warning")["message"] == (f"dsa0 ({run.one('dsa', name='dsa0')['pci']}): move of WQ 0 was "
                                             "refused: the work queue is full (SWERROR 0x53)")
    run.failed("dsa-run")


def test_dma_that_the_fence_blocks(boot):
    """A device that turns an address bit over: without ATS it learns of the read, and nobody but the IOMMU
    of the write, whose data is missed. What else is asked of it, of the other one and of the disk goes on."""
    run = boot("app=dsa rows=now op=memmove count=8000 beside=reads verify=crc32c", cpus=1, disks=stamped(1),
               dsa=2, dsa_options=[{"plant": "astray:1500"}, {}])
    astray = run.one("dsa", name="dsa0")
    read, write = run.of("fault")
    for fault, access, reason in ((read, "read", 6), (write, "write", 5)):
        assert (fault["source"], fault["access"], fault["reason"]) == (astray["pci"], access, reason)
        assert int(fault["address"], 16) >> 38 == 1
        assert (f"blocked a {access} of {astray['pci']} at {fault['address']} (no RAM of ours): it may not "
                f"{access} there") in fault["message"]
        assert run.console.count(fault["message"]) == 1
    row = whole(run)
    assert (row["completed"], row["errors"], row["verify_errors"]) == (8000, 1, 1)
    message = run.one("warning", what="dsa-descriptor")["message"]
    assert message.startswith(f"dsa0 ({astray['pci']}): WQ 0: a move of 4096 bytes failed: ")
    assert message.endswith("(status 0x20)")
    assert counted(run, "failed") == {"dsa0": 1, "dsa1": 0}
    assert counted(run, "completed") == {"dsa0": 4000, "dsa1": 4000}
    assert row["reads"] > 100
    assert [error["what"] for error in run.of("error")] == ["vtd-fault", "vtd-fault", "dsa-run"]
    assert run.status == launch.EXIT_FAILED
