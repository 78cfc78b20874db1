// SPDX-License-Identifier: BSD-2-Clause
// app=nvme: commands by the names that nvme-cli gives them. Boot CPU, from the app.
#pragma once

#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/ctrl.h"
#include "kernel/base/cmdline.h"

// What a command works on.
struct tool {
    const struct cmdline *words;
    struct nvme_ctrl *ctrl;
    uint32_t nsid; // that was named; 0: none
    struct json json;
    struct sheet sheet;
};

// False: a problem.
typedef bool tool_command(struct tool *t, struct problem *p);

// One object for each page: what people read goes out line by line, the object at the end.
void tool_begin(struct tool *t, const char *type);
void tool_end(struct tool *t, const void *data, size_t bytes); // the page, for output=binary

// The namespaces that the command line means, of which it calls `each`.
bool tool_each_namespace(struct tool *t,
                         bool (*each)(struct tool *t, uint32_t nsid, struct problem *p),
                         struct problem *p);

// Those that only read (pages.c)
tool_command tool_id_ctrl, tool_id_ns, tool_smart_log, tool_error_log, tool_fw_log,
    tool_self_test_log, tool_get_feature, tool_show_regs;
tool_command tool_list;
void tool_list_head(void);

// Those that change the controller (change.c), which they do only where the disk's serial number
// stands in allow-write=.
tool_command tool_set_feature, tool_self_test;
