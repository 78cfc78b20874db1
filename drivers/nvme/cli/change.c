// SPDX-License-Identifier: BSD-2-Clause
// Commands that change how a controller behaves, or what it does: only where the command line names
// the disk.
#include "drivers/nvme/cli/tool.h"
#include "kernel/mem/mem.h"
#include "kernel/run/allow_write.h"
#include "lib/string.h"

// The block layer knows which disks the command line names; all of a controller's have one serial
// number.
static bool is_named(const struct nvme_ctrl *c)
{
    return c->namespaces && c->namespaces->dev.writable;
}

static bool may_change(const struct nvme_ctrl *c, const char *command, struct problem *p)
{
    char word[ALLOW_WRITE_WORD];
    if (is_named(c))
        return true;
    return problem_set(p, "nvme-cli-refused",
                       "%s: %s changes the disk: name it in allow-write=%s to have that done",
                       c->label, command, allow_write_word(c->id.serial, word));
}

bool tool_set_feature(struct tool *t, struct problem *p)
{
    struct nvme_ctrl *c = t->ctrl;
    unsigned fid = (unsigned)cmdline_number(t->words, "fid");
    uint32_t value = (uint32_t)cmdline_number(t->words, "value");
    bool save = cmdline_is(t->words, "save", "1");
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_SET_FEATURES | field_put(NVME_SQE_NSID, t->nsid),
        .prp1 = mem_phys(c->page),
        .cdw10 = fid | (save ? NVME_FEATURE_SV : 0),
        .cdw11 = value,
    };

    if (!fid || !cmdline_get(t->words, "value")->given)
        return problem_set(p, "nvme-cli-words", "set-feature needs fid= and value=");
    if (nvme_feature_bytes(fid))
        return problem_set(p, "nvme-cli-words",
                           "set-feature: feature 0x%02x (%s) is set by more than a value", fid,
                           nvme_feature_name(fid));
    if (!may_change(c, "set-feature", p))
        return false;
    memset(c->page, 0, NVME_PAGE);
    if (!nvme_admin(c, &sqe, "Set Features", NULL, p))
        return false;
    tool_begin(t, "set-feature");
    sheet_line(&t->sheet, "set-feature:0x%02x (%s), value:0x%08x, save:%u", fid,
               nvme_feature_name(fid), value, save);
    json_u64(&t->json, "fid", fid);
    json_text(&t->json, "feature", nvme_feature_name(fid));
    json_u64(&t->json, "value", value);
    json_bool(&t->json, "save", save);
    tool_end(t, NULL, 0);
    return true;
}

// Which self-test: by its place in the choices of stc=.
static const struct {
    uint32_t code;
    const char *said;
} self_tests[] = {
    { NVME_SELF_TEST_SHORT, "Short Device self-test started" },
    { NVME_SELF_TEST_EXTENDED, "Extended Device self-test started" },
    { NVME_SELF_TEST_ABORT, "Aborting device self-test operation" },
};

bool tool_self_test(struct tool *t, struct problem *p)
{
    size_t which = cmdline_number(t->words, "stc");
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_SELF_TEST | field_put(NVME_SQE_NSID, t->nsid ? t->nsid : NVME_NSID_ALL),
        .cdw10 = self_tests[which].code,
    };

    if (!may_change(t->ctrl, "device-self-test", p) ||
        !nvme_admin(t->ctrl, &sqe, "Device Self-test", NULL, p))
        return false;
    tool_begin(t, "device-self-test");
    sheet_line(&t->sheet, "%s", self_tests[which].said);
    json_u64(&t->json, "stc", self_tests[which].code);
    tool_end(t, NULL, 0);
    return true;
}
