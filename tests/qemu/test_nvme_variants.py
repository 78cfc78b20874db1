# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's controller in its variants: each reads right, in one delivery mode or another, and whatever
it offers is used or left alone."""
import pytest

from conftest import full, stamped

JOB = "size=4m runtime=0 iodepth=16 verify=crc32c"
MODES = ("posted", "remapped", "adaptive", "poll")

VARIANTS = {
    "one-entry": {"mqes": 1},
    "odd-entries": {"mqes": 100},
    "one-queue": {"max_ioqpairs": 1},
    "one-vector": {"msix_qsize": 1},
    "no-shadows": {"dbcs": "off"},
    "ioeventfd": {"ioeventfd": "on"},
    "msix-bar": {"msix-exclusive-bar": "on"},
    "intel": {"use-intel-id": "on"},
    "no-cache": {"write-cache": "off"},
    "ocp": {"ocp": "on"},
}
# How many queues there are for two CPUs, and commands in each, where it isn't as usual.
QUEUES = {"one-queue": 1, "one-vector": 1}
DEPTHS = {"one-entry": 1, "odd-entries": 63}


@pytest.mark.parametrize("mode", MODES)
def test_reads_right(boot, mode):
    """Two disks of each kind."""
    names = [name for name in list(VARIANTS)[MODES.index(mode)::len(MODES)] for _ in range(2)]
    disks = [disk for name in names for disk in stamped(1, controller=VARIANTS[name])]
    run = boot(f"irq={mode} {JOB}", cpus=2, disks=disks).verified()
    assert [(disk["queues"], disk["queue_depth"]) for disk in run.of("nvme")] \
        == [(QUEUES.get(name, 2), DEPTHS.get(name, 255)) for name in names]
    assert len(run.disk_jobs) == len(names) and run.job["errors"] == 0
    assert not run.of("warning")  # what it has is asked for, not found out


@pytest.mark.parametrize("mode, controller", [
    ("posted", {}), ("remapped", {"ioeventfd": "on"}), ("adaptive", {}), ("poll", {"ioeventfd": "on"}),
    ("adaptive", {"dbcs": "off"}),
    *full(("posted", {"ioeventfd": "on"}), ("remapped", {}), ("adaptive", {"ioeventfd": "on"}), ("poll", {}),
          ("posted", {"dbcs": "off"}), ("remapped", {"dbcs": "off"}), ("poll", {"dbcs": "off"}))],
    ids=lambda value: value if isinstance(value, str) else next(iter(value), "plain"))
def test_by_shadow_doorbells(boot, mode, controller):
    boot(f"irq={mode} nvme.shadow=1 {JOB}", cpus=2, disks=stamped(2, controller=controller)).verified()


# ---- queues in the controller's memory ----

@pytest.mark.parametrize("legacy", ["on", "off"])
@pytest.mark.parametrize("size", [1, 16])
def test_queues_in_the_controller(boot, size, legacy):
    """Found by CMBMSC, or, as it was before NVMe 1.4, without."""
    mode = MODES[size // 16 * 2 + (legacy == "on")]
    run = boot(f"irq={mode} nvme.cmb=1 {JOB}", cpus=2,
               disks=stamped(2, controller={"cmb_size_mb": size, "legacy-cmb": legacy})).verified()
    assert [disk["cmb_queues"] for disk in run.of("nvme")] == [2, 2]
    assert run.line("nvme0n1 .*2 of its queues in its memory")
    assert not run.of("warning")


def test_as_many_as_it_has_room_for(boot):
    """128 KiB each."""
    controller = {"cmb_size_mb": 1, "max_ioqpairs": 10, "msix_qsize": 11}
    run = boot("irq=adaptive nvme.cmb=1 nvme.queues=5 nvme.depth=2047 runtime=0 iodepth=1000 verify=crc32c",
               cpus=2, disks=stamped(1, controller=controller)).verified()
    assert (run.one("nvme")["queues"], run.one("nvme")["cmb_queues"]) == (10, 8)


def test_not_in_the_controller_unless_wanted(boot):
    run = boot(f"irq=posted nvme.cmb=0 {JOB}", cpus=2, disks=stamped(1, controller={"cmb_size_mb": 16})).verified()
    assert run.one("nvme")["cmb_queues"] == 0


@pytest.mark.parametrize("clat", ["exact", "batch"])
def test_long_transfers_and_streams_from_there(boot, clat):
    run = boot(f"irq=adaptive nvme.cmb=1 runtime=0 bs=64k iodepth=16 clat={clat}", cpus=2,
               disks=stamped(1, controller={"cmb_size_mb": 1, "mdts": 4})).ended_well()
    assert run.one("nvme")["cmb_queues"] == 2
    assert run.job["streams"] == (2 if clat == "batch" else 0)
    assert run.job["total_ios"] > 100


@pytest.mark.parametrize("sgl", [0, 1])
def test_long_transfers(boot, sgl):
    """By lists of PRPs, and by SGLs."""
    boot(f"irq=adaptive nvme.sgl={sgl} runtime=0 bs=160k iodepth=4 verify=crc32c", cpus=2,
         disks=stamped(2, controller={"mdts": 4})).verified()


def test_deep_queues(boot):
    run = boot("irq=adaptive nvme.depth=1500 runtime=0 iodepth=1500 numjobs=1 verify=crc32c", cpus=2,
               disks=stamped(1)).verified()
    assert run.one("nvme")["queue_depth"] == 2047


def test_shallow_queues(boot):
    """Rings no larger than what is in flight."""
    run = boot(f"irq=posted nvme.depth=16 {JOB}", cpus=2, disks=stamped(1)).verified()
    assert run.one("nvme")["queue_depth"] == 31


def test_coalesced(boot):
    """QEMU takes the feature, and does nothing about it."""
    boot(f"irq=remapped nvme.coalesce=8 nvme.coalesce.time=200us {JOB}", cpus=2,
         disks=stamped(1)).verified()


def test_a_controller_without_namespaces(boot):
    extra = ["-device", "nvme,serial=EMPTY"]
    run = boot(f"irq=posted {JOB}", cpus=2, disks=stamped(1), extra=extra).verified()
    assert run.line("nvme1 .*: it has no namespace")


def test_with_virtual_functions(boot):
    """Those that nobody turned on are nobody's."""
    extra = ["-device", "nvme-subsys,id=sub", "-device", "pcie-root-port,id=vfs,chassis=40",
             "-device", "nvme,serial=PHYSICAL,subsys=sub,bus=vfs,sriov_max_vfs=2,"
             "sriov_vq_flexible=4,sriov_vi_flexible=4,max_ioqpairs=10,msix_qsize=12"]
    run = boot(f"irq=posted {JOB}", cpus=2, disks=stamped(1), extra=extra).verified()
    assert run.line("nvme1 .*: it has no namespace")


@pytest.mark.parametrize("mode", MODES)
def test_streams_in_each_mode(boot, mode):
    run = boot(f"irq={mode} runtime=0 iodepth=32 clat=batch", cpus=2, disks=stamped(2)).ended_well()
    assert run.job["streams"] == 4
    assert run.job["submitted"] == run.job["total_ios"] > 1000
