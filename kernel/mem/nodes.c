// SPDX-License-Identifier: BSD-2-Clause
// What tools are told of the NUMA nodes that memory lies on.

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "lib/json.h"

static bool is_new(const volatile void *const *pieces, size_t i, unsigned node)
{
    while (i-- > 0)
        if (mem_node(pieces[i]) == node)
            return false;
    return node != NODE_ANY;
}

void mem_report_nodes(struct json *j, const volatile void *const *pieces, size_t count)
{
    bool open = false;
    for (size_t i = 0; i < count; i++) {
        unsigned node = mem_node(pieces[i]);
        if (!is_new(pieces, i, node))
            continue;
        if (!open)
            json_open_array(j, "memory_nodes");
        open = true;
        json_u64(j, NULL, node);
    }
    if (open)
        json_close_array(j);
}
