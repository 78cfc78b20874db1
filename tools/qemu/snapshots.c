// SPDX-License-Identifier: BSD-2-Clause
// For guests whose code has no marks. A byte that the guest writes to the port notes what all
// counters stand at, so two bytes enclose what is to be measured. With instructions=on, each
// instruction adds one to its CPU's counter as it is executed, wherever it lies; a halted CPU
// executes none.
#include "tools/qemu/snapshots.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tools/qemu/qemu_abi.h"
#include "tools/qemu/qemu_count_abi.h"
#include "tools/qemu/stats.h"

#define SNAPSHOTS_MAX 1024 // the guest may write more: they are not noted, which the JSON says

struct snapshot {
    uint8_t byte;
    uint64_t instructions;
    struct model_stats stats;
};

static struct {
    uint64_t port;                    // 0: not asked for
    struct qemu_scoreboard *executed; // NULL: instructions aren't counted
    struct snapshot list[SNAPSHOTS_MAX];
    unsigned count, lost;
} snapshots;

// Up to plugin interface 6 called with (id, block), from 7 on with (block, what was registered).
static void translate(void *first, void *second)
{
    struct qemu_tb *tb = second == &snapshots ? first : second;
    struct qemu_u64 counter = { .scoreboard = snapshots.executed };
    size_t n = qemu_count.qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < n; i++)
        qemu_count.qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
            qemu_count.qemu_plugin_tb_get_insn(tb, i), QEMU_INLINE_ADD_U64, counter, 1);
}

void snapshots_init(const char *port)
{
    char *end;
    snapshots.port = strtoul(port, &end, 0);
    if (*end || !snapshots.port || snapshots.port > 0xffff)
        refuse("snapshots=%s: no I/O port; use a number from 1 to 0xffff", port);
}

void snapshots_count_instructions(uint64_t id)
{
    if (!snapshots.port)
        refuse("instructions=on has no use without snapshots=PORT");
    qemu_count_abi_init();
    snapshots.executed = qemu_count.qemu_plugin_scoreboard_new(sizeof(uint64_t));
    if (!snapshots.executed)
        refuse("out of memory");
    qemu_count.qemu_plugin_register_vcpu_tb_trans_cb(id, translate, &snapshots);
}

static uint64_t executed_by_all(void)
{
    uint64_t sum = 0;
    if (!snapshots.executed)
        return 0;
    for (unsigned i = 0; i < (unsigned)qemu_count.qemu_plugin_num_vcpus(); i++)
        sum += *(const uint64_t *)qemu_count.qemu_plugin_scoreboard_find(snapshots.executed, i);
    return sum;
}

// Under QEMU's big lock, as all that changes `stats`.
static qemu_result port_write(void *opaque, uint64_t offset, uint64_t data, unsigned size,
                              struct qemu_attrs attrs)
{
    if (snapshots.count == SNAPSHOTS_MAX) {
        snapshots.lost++;
        return QEMU_OK;
    }
    snapshots.list[snapshots.count++] = (struct snapshot){ .byte = (uint8_t)data,
                                                           .instructions = executed_by_all(),
                                                           .stats = stats };
    return QEMU_OK;
}

static qemu_result port_read(void *opaque, uint64_t offset, uint64_t *data, unsigned size,
                             struct qemu_attrs attrs)
{
    *data = 0xff; // as where there is no device
    return QEMU_OK;
}

static const struct qemu_region_ops port_ops = {
    .read_with_attrs = port_read,
    .write_with_attrs = port_write,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 1 },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

void snapshots_attach(void)
{
    if (snapshots.port)
        qemu_add_port(snapshots.port, MODEL_NAME "-snapshots", &port_ops);
}

static void print_snapshot(FILE *out, const struct snapshot *s)
{
    fprintf(out,
            "{\"byte\":%u,\"instructions\":%" PRIu64 ",\"passed\":%" PRIu64 ",\"posted\":%" PRIu64
            ",\"notified\":%" PRIu64 ",\"repeated\":%" PRIu64 "}",
            s->byte, s->instructions, s->stats.passed, s->stats.posted, s->stats.notified,
            s->stats.repeated);
}

void snapshots_print_json(FILE *out)
{
    if (!snapshots.port)
        return;
    fprintf(out, ",\"snapshots_lost\":%u,\"snapshots\":[", snapshots.lost);
    for (unsigned i = 0; i < snapshots.count; i++) {
        fprintf(out, "%s", i ? "," : "");
        print_snapshot(out, &snapshots.list[i]);
    }
    fprintf(out, "]");
}
