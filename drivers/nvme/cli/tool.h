// SPDX-License-Identifier: BSD-2-Clause
// app=nvme: commands by the names that nvme-cli gives them. Boot CPU, from the app.
#pragma once

#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/admin.h"
#include "drivers/nvme/disk.h"
#include "drivers/nvme/prp.h"
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
void tool_end(struct tool *t, const void *data, size_t bytes); // the page, for raw=1

// ---- targets.c ----

// Sets the controller that "nvme0" or "nvme0n1" means, and the namespace if the name has one.
bool tool_find_target(const char *name, size_t length, struct tool *t);

// Calls `each` for the namespace that was named, or for every active one. It ends where that fails.
typedef bool tool_namespace(struct tool *t, uint32_t nsid, struct problem *p);
bool tool_each_namespace(struct tool *t, tool_namespace *each, struct problem *p);

// ---- commands that only read: pages.c, list.c ----

tool_command tool_id_ctrl, tool_id_ns, tool_smart_log, tool_error_log, tool_fw_log,
    tool_self_test_log, tool_get_feature, tool_show_regs;
tool_command tool_list;
void tool_list_head(void);

// ---- change.c: only for disks whose serial number stands in allow-write= ----

tool_command tool_set_feature, tool_self_test;
