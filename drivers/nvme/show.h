// SPDX-License-Identifier: BSD-2-Clause
// What is particular about a namespace, for people and for tools.
#pragma once

#include "drivers/nvme/disk.h"
#include "lib/json.h"

// Its limits and its format, as far as it has some, into an object that is begun.
void nvme_show_json(struct json *j, const struct nvme_ns *ns);

// A line for people where it isn't plain blocks, all of which can be reached at any place.
void nvme_show_line(const struct nvme_ns *ns);

// One console line and one JSON `nvme` for each of its namespaces; a line where there is none.
void nvme_show_ctrl(const struct nvme_ctrl *c);

// "64 KiB", "1.5 TiB".
const char *nvme_size_text(uint64_t bytes, char *to, size_t room);
