# SPDX-License-Identifier: BSD-2-Clause
"""A machine with NUMA nodes: what each CPU works with lies on its node. Addresses come from QEMU's own
trace of what the devices are told, nodes of the rest from the kernel's page tables and the SRAT."""
import re

from conftest import launch, stamped

CPUS = 4
NODE_BYTES = 512 << 20
TRACED = ("pci_nvme_create_cq", "pci_nvme_create_sq", "pci_nvme_io_cmd", "pci_nvme_map_prp",
          "vtd_reg_ir_root", "vtd_inv_qi_setup")


def node_of_cpu(cpu):
    """Not the first node, which memory comes from where none is asked for, nor all the same."""
    return 1 + cpu % 2


def node_at(address):
    return address // NODE_BYTES


def numa(last_node="56m"):
    """Three nodes, one after the other in memory; the first has no CPU."""
    sizes = ["512m", "512m", last_node]
    args = ["-smp", f"{CPUS},sockets={CPUS},cores=1,threads=1"]
    for node, size in enumerate(sizes):
        args += ["-object", f"memory-backend-ram,id=node{node},size={size}",
                 "-numa", f"node,nodeid={node},memdev=node{node}"]
    for cpu in range(CPUS):
        args += ["-numa", f"cpu,node-id={node_of_cpu(cpu)},socket-id={cpu}"]
    mem = sum(launch.size_bytes(size) for size in sizes) >> 20
    return {"cpus": CPUS, "mem": f"{mem}m", "extra": args}


def traced(file, options):
    """Has QEMU write what the devices are told."""
    options["extra"] += ["-D", file, *(word for name in TRACED for word in ("-trace", name))]
    return options


def events(file):
    """(name, {field: number}) of what came once the image had set up remapping; before, it was the
    firmware that read the disks."""
    lines = file.read_text().splitlines()
    ours = max(i for i, line in enumerate(lines) if line.startswith("vtd_inv_qi_setup"))
    for line in lines[ours:]:
        name, _, text = line.partition(" ")
        fields = re.findall(r"(\w+)[= ](0x[0-9a-f]+|\d+)\b", text)
        yield name, {field: int(value, 0) for field, value in fields}


def queue_nodes(trace):
    """{(kind, number): set of nodes} of all controllers' queues."""
    nodes = {}
    for name, fields in trace:
        if name in ("pci_nvme_create_cq", "pci_nvme_create_sq"):
            kind = name[-2:]
            nodes.setdefault((kind, fields[f"{kind}id"]), set()).add(node_at(fields["addr"]))
    return nodes


def reads(trace):
    """(queue, bytes, PRP1, PRP2) of each read."""
    queue = None
    for name, fields in trace:
        if name == "pci_nvme_io_cmd":
            queue = fields["sqid"]
        elif name == "pci_nvme_map_prp" and queue:
            yield queue, fields["len"], fields["prp1"], fields["prp2"]
            queue = None


def check_nodes_told(run):
    cpus = run.of("cpu")
    assert [cpu["node"] for cpu in cpus] == [node_of_cpu(i) for i in range(CPUS)]
    for cpu in cpus[1:]:
        assert cpu["memory_nodes"] == [cpu["node"]], cpu
    irqs = [irq for irq in run.of("irq") if "chip" in irq]
    assert len(irqs) == 2 * CPUS
    for irq in irqs:
        assert irq["memory_nodes"] == [node_of_cpu(irq["cpu"])], irq


def check_queues(trace):
    nodes = queue_nodes(trace)
    assert len(nodes) == 2 * CPUS
    for (kind, number), found in nodes.items():
        assert found == {node_of_cpu(number - 1)}, f"{kind} {number}"


def check_buffers(trace, has_lists):
    """Both disks' buffers, and lists of PRPs, lie with the CPU whose queue the read takes."""
    found = list(reads(trace))
    assert {queue for queue, *_ in found} == set(range(1, CPUS + 1))
    for queue, length, prp1, prp2 in found:
        assert node_at(prp1) == node_of_cpu(queue - 1)
        if has_lists:
            assert length > 2 * 4096 and prp2
        assert not prp2 or node_at(prp2) == node_of_cpu(queue - 1)


def test_each_cpu_works_with_memory_of_its_node(boot, tmp_path):
    file = tmp_path / "trace"
    run = boot("irq=posted size=4m runtime=0 verify=crc32c", disks=stamped(2), **traced(file, numa()))
    run.verified()
    check_nodes_told(run)
    trace = list(events(file))
    check_queues(trace)
    check_buffers(trace, has_lists=False)


def test_long_reads_and_their_lists(boot, tmp_path):
    file = tmp_path / "trace"
    run = boot("irq=adaptive nvme.sgl=0 size=8m runtime=0 bs=64k iodepth=8 verify=crc32c", disks=stamped(2),
               **traced(file, numa()))
    run.verified()
    check_buffers(list(events(file)), has_lists=True)


def test_what_self_tests_read_into(boot, tmp_path):
    file = tmp_path / "trace"
    run = boot("app=selftest test=delivery changes=500 verify=crc32c", disks=stamped(2),
               **traced(file, numa()))
    run.ended_well()
    check_buffers(list(events(file)), has_lists=False)


def test_a_node_that_is_full_is_no_failure(boot, tmp_path):
    """What finds no room there comes from elsewhere."""
    file = tmp_path / "trace"
    run = boot("irq=posted nvme.sgl=0 runtime=500ms bs=64k iodepth=128 verify=crc32c", disks=stamped(2),
               **traced(file, numa(last_node="56m")))
    run.verified()
    check_nodes_told(run)
    on_last = [node_at(prp1) for queue, _, prp1, _ in reads(events(file)) if queue % 2 == 0]
    assert 2 in on_last and set(on_last) != {2}
