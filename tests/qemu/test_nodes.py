# SPDX-License-Identifier: BSD-2-Clause
"""NUMA nodes of devices, as the SRAT's generic initiators tell them."""
from conftest import stamped

NODES = ["-object", "memory-backend-ram,id=ram0,size=512m",
         "-object", "memory-backend-ram,id=ram1,size=512m",
         "-numa", "node,nodeid=0,memdev=ram0,cpus=0", "-numa", "node,nodeid=1,memdev=ram1,cpus=1",
         "-object", "acpi-generic-initiator,id=gi0,pci-dev=nvme1,node=1"]


def test_disk_on_a_node(boot):
    """The second disk's memory is on node 1, and its data is right; of the first nothing is known."""
    run = boot("irq=posted size=4m runtime=0 verify=crc32c", disks=stamped(2), extra=NODES).verified()
    assert [disk.get("node") for disk in run.of("nvme")] == [None, 1]
