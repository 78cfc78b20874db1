// SPDX-License-Identifier: BSD-2-Clause
// Commands that read a page of the controller's and show it.
#include "drivers/nvme/cli/tool.h"
#include "drivers/nvme/log.h"
#include "kernel/mem/mem.h"
#include "lib/mmio.h"
#include "lib/string.h"

#define ERRORS_MOST (NVME_PAGE / sizeof(struct nvme_error_entry))

static bool identify_controller(struct tool *t, struct problem *p)
{
    return nvme_identify(t->ctrl, NVME_CNS_CONTROLLER, 0, "Identify Controller", p);
}

bool tool_id_ctrl(struct tool *t, struct problem *p)
{
    if (!identify_controller(t, p))
        return false;
    tool_begin(t, "id-ctrl");
    sheet_line(&t->sheet, "NVME Identify Controller:");
    nvme_show_controller(&t->sheet, t->ctrl->page);
    tool_end(t, t->ctrl->page, sizeof(struct nvme_identify_controller));
    return true;
}

static bool id_ns(struct tool *t, uint32_t nsid, struct problem *p)
{
    if (!nvme_identify(t->ctrl, NVME_CNS_NAMESPACE, nsid, "Identify Namespace", p))
        return false;
    tool_begin(t, "id-ns");
    json_u64(&t->json, "nsid", nsid);
    sheet_line(&t->sheet, "NVME Identify Namespace %u:", nsid);
    nvme_show_namespace(&t->sheet, t->ctrl->page);
    tool_end(t, t->ctrl->page, sizeof(struct nvme_identify_namespace));
    return true;
}

bool tool_id_ns(struct tool *t, struct problem *p)
{
    return tool_each_namespace(t, id_ns, p);
}

bool tool_smart_log(struct tool *t, struct problem *p)
{
    if (!nvme_get_log(t->ctrl, NVME_LOG_SMART, sizeof(struct nvme_smart_log),
                      "Get Log Page (SMART)", p))
        return false;
    tool_begin(t, "smart-log");
    sheet_line(&t->sheet, "Smart Log for NVME device:%s namespace-id:%x", t->ctrl->name,
               NVME_NSID_ALL);
    nvme_show_smart(&t->sheet, t->ctrl->page);
    tool_end(t, t->ctrl->page, sizeof(struct nvme_smart_log));
    return true;
}

// The newest entries, as many as fit into a page.
bool tool_error_log(struct tool *t, struct problem *p)
{
    const struct nvme_identify_controller *id = t->ctrl->page;
    if (!identify_controller(t, p))
        return false;
    size_t count = MIN(id->elpe + 1ul, ERRORS_MOST);
    size_t bytes = count * sizeof(struct nvme_error_entry);
    if (!nvme_get_log(t->ctrl, NVME_LOG_ERROR, bytes, "Get Log Page (errors)", p))
        return false;
    tool_begin(t, "error-log");
    sheet_line(&t->sheet, "Error Log Entries for device:%s entries:%zu", t->ctrl->name, count);
    nvme_show_errors(&t->sheet, t->ctrl->page, count);
    tool_end(t, t->ctrl->page, bytes);
    return true;
}

bool tool_fw_log(struct tool *t, struct problem *p)
{
    size_t bytes = sizeof(struct nvme_firmware_log);
    if (!nvme_get_log(t->ctrl, NVME_LOG_FIRMWARE, bytes, "Get Log Page (firmware slots)", p))
        return false;
    tool_begin(t, "fw-log");
    sheet_line(&t->sheet, "Firmware Log for device:%s", t->ctrl->name);
    nvme_show_firmware(&t->sheet, t->ctrl->page);
    tool_end(t, t->ctrl->page, bytes);
    return true;
}

bool tool_self_test_log(struct tool *t, struct problem *p)
{
    size_t bytes = sizeof(struct nvme_self_test_log);
    if (!nvme_get_log(t->ctrl, NVME_LOG_SELF_TEST, bytes, "Get Log Page (self-tests)", p))
        return false;
    tool_begin(t, "self-test-log");
    sheet_line(&t->sheet, "Device Self Test Log for NVME device:%s", t->ctrl->name);
    nvme_show_self_tests(&t->sheet, t->ctrl->page);
    tool_end(t, t->ctrl->page, bytes);
    return true;
}

// ---- features ----

static bool get_feature(struct tool *t, unsigned fid, struct problem *p)
{
    struct nvme_ctrl *c = t->ctrl;
    unsigned sel = (unsigned)cmdline_number(t->words, "sel");
    uint32_t value;
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_GET_FEATURES | field_put(NVME_SQE_NSID, t->nsid),
        .prp1 = mem_phys(c->page),
        .cdw10 = (uint32_t)(fid | field_put(NVME_FEATURE_SEL, sel)),
    };
    memset(c->page, 0, NVME_PAGE);
    if (!nvme_admin(c, &sqe, "Get Features", &value, p))
        return false;
    tool_begin(t, "get-feature");
    nvme_show_feature(&t->sheet, fid, sel, value);
    tool_end(t, c->page, sel == NVME_SEL_CAPABILITIES ? 0 : nvme_feature_bytes(fid));
    return true;
}

// All that have a name, less those that the controller hasn't.
static bool get_features(struct tool *t, struct problem *p)
{
    for (unsigned fid = 0; (fid = nvme_feature_next(fid));)
        if (!get_feature(t, fid, p) && t->ctrl->command.lost)
            return false;
    return true;
}

bool tool_get_feature(struct tool *t, struct problem *p)
{
    unsigned fid = (unsigned)cmdline_number(t->words, "fid");
    return fid ? get_feature(t, fid, p) : get_features(t, p);
}

// ---- registers ----

static uint64_t read_reg(const void *arg, unsigned offset, unsigned bytes)
{
    const struct nvme_ctrl *c = arg;
    return bytes == 8 ? mmio_read64(mmio_at(c->regs, offset))
                      : mmio_read32(mmio_at(c->regs, offset));
}

bool tool_show_regs(struct tool *t, struct problem *p)
{
    tool_begin(t, "show-regs");
    nvme_show_regs(&t->sheet, read_reg, t->ctrl);
    tool_end(t, NULL, 0);
    return true;
}
