// SPDX-License-Identifier: BSD-2-Clause
// list: a line for each namespace, with its size, how much of it is used, and its format.
#include "drivers/nvme/cli/tool.h"
#include "kernel/base/report.h"
#include "lib/decimal.h"
#include "lib/format.h"

#define LIST_LINE "%-21s %-20s %-40s %-9s %-26s %-16s %-8s"
#define SIZE_BYTES 16
#define LBADS_MOST 31

void tool_list_head(void)
{
    static const char rule[] = "----------------------------------------";
    info(LIST_LINE, "Node", "SN", "Model", "Namespace", "Usage", "Format", "FW Rev");
    info("%.21s %.20s %.40s %.9s %.26s %.16s %.8s", rule, rule, rule, rule, rule, rule, rule);
}

static const char *size_text(uint64_t blocks, unsigned shift, char to[SIZE_BYTES])
{
    char digits[DECIMAL_BYTES];
    const uint64_t words[2] = { blocks };
    return decimal_si(decimal_text(words, 1u << shift, digits), to, SIZE_BYTES);
}

static void print(const struct tool *t, uint32_t nsid, const struct nvme_identify_namespace *ns,
                  unsigned ms, unsigned shift)
{
    const struct nvme_ctrl *c = t->ctrl;
    char node[24], number[12], usage[32], format[24], used[SIZE_BYTES], size[SIZE_BYTES];

    format_text(node, sizeof(node), "%sn%u", c->name, nsid);
    format_text(number, sizeof(number), "%u", nsid);
    format_text(usage, sizeof(usage), "%8sB / %8sB", size_text(ns->nuse, shift, used),
                size_text(ns->nsze, shift, size));
    format_text(format, sizeof(format), "%3u %sB + %2u B",
                shift >= 10 ? 1u << (shift - 10) : 1u << shift, shift >= 10 ? "Ki" : "  ", ms);
    info(LIST_LINE, node, c->id.serial, c->id.model, number, usage, format, c->id.firmware);
}

static void send(struct tool *t, uint32_t nsid, const struct nvme_identify_namespace *ns,
                 unsigned shift)
{
    const struct nvme_ctrl *c = t->ctrl;
    tool_begin(t, "list");
    json_u64(&t->json, "NameSpace", nsid);
    json_text(&t->json, "Firmware", c->id.firmware);
    json_text(&t->json, "ModelNumber", c->id.model);
    json_text(&t->json, "SerialNumber", c->id.serial);
    json_u64(&t->json, "UsedBytes", ns->nuse << shift);
    json_u64(&t->json, "MaximumLBA", ns->nsze);
    json_u64(&t->json, "PhysicalSize", ns->nsze << shift);
    json_u64(&t->json, "SectorSize", 1ull << shift);
    tool_end(t, NULL, 0);
}

static bool list(struct tool *t, uint32_t nsid, struct problem *p)
{
    const struct nvme_identify_namespace *ns = t->ctrl->page;

    if (!nvme_identify(t->ctrl, NVME_CNS_NAMESPACE, nsid, "Identify Namespace", p))
        return false;
    uint32_t lbaf = ns->lbaf[nvme_format_index(ns)];
    unsigned shift = (unsigned)field_get(NVME_LBAF_LBADS, lbaf);
    if (shift > LBADS_MOST)
        return problem_set(p, "nvme-cli-format",
                           "%sn%u: its blocks are of 2^%u bytes, which is no size", t->ctrl->name,
                           nsid, shift);
    print(t, nsid, ns, (unsigned)field_get(NVME_LBAF_MS, lbaf), shift);
    send(t, nsid, ns, shift);
    return true;
}

bool tool_list(struct tool *t, struct problem *p)
{
    return tool_each_namespace(t, list, p);
}
