// SPDX-License-Identifier: BSD-2-Clause
// What a command is about: controllers and namespaces, by name, or all there are.
#include "drivers/nvme/cli/tool.h"
#include "drivers/nvme/nvme.h"
#include "lib/parse.h"
#include "lib/string.h"

// "n7"; or nothing: no namespace is named, and *nsid 0.
static bool parse_nsid(const char *text, size_t length, uint32_t *nsid)
{
    uint64_t number = 0;
    if (length && (*text != 'n' || !parse_number(text + 1, length - 1, &number) || !number ||
                   number > NVME_NSID_LAST))
        return false;
    *nsid = (uint32_t)number;
    return true;
}

bool tool_find_target(const char *name, size_t length, struct tool *t)
{
    for (t->ctrl = nvme_first(); t->ctrl; t->ctrl = t->ctrl->next) {
        size_t own = strlen(t->ctrl->name);
        uint32_t nsid;
        if (length < own || memcmp(name, t->ctrl->name, own) ||
            !parse_nsid(name + own, length - own, &nsid))
            continue;
        if (nsid)
            t->nsid = nsid;
        return true;
    }
    return false;
}

// All active ones, usable or not; of controllers without a list, those that are in use.
static bool find_namespaces(struct tool *t, uint32_t *nsids, size_t *count, struct problem *p)
{
    *count = 0;
    if (t->ctrl->version < NVME_VERSION(1, 1)) {
        for (const struct nvme_ns *ns = t->ctrl->namespaces; ns && *count < NVME_NSID_LIST_ENTRIES;
             ns = ns->next)
            nsids[(*count)++] = ns->dev.nsid;
        return true;
    }
    if (!nvme_identify(t->ctrl, NVME_CNS_ACTIVE_LIST, 0, "Identify Active Namespace List", p))
        return false;
    memcpy(nsids, t->ctrl->page, NVME_NSID_LIST_ENTRIES * sizeof(*nsids));
    while (*count < NVME_NSID_LIST_ENTRIES && nsids[*count])
        (*count)++;
    return true;
}

bool tool_each_namespace(struct tool *t, tool_namespace *each, struct problem *p)
{
    static uint32_t nsids[NVME_NSID_LIST_ENTRIES];
    size_t count;

    if (t->nsid)
        return each(t, t->nsid, p);
    if (!find_namespaces(t, nsids, &count, p))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!each(t, nsids[i], p))
            return false;
    return true;
}
