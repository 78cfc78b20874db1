// SPDX-License-Identifier: BSD-2-Clause
// smart-log, error-log, fw-log and self-test-log.
#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/status.h"
#include "lib/decimal.h"
#include "lib/format.h"
#include "lib/string.h"

#define SMART(member, name, key, form)                                                             \
    SHEET_NAMED(struct nvme_smart_log, member, name, key, SHEET_##form)

#define SMART_WIDTH 40
#define KELVIN 273
#define DATA_UNIT 512000

// clang-format off: one row a line
static const struct sheet_field spare[] = {
    SMART(avail_spare, "available_spare", "avail_spare", PERCENT),
    SMART(spare_thresh, "available_spare_threshold", "spare_thresh", PERCENT),
    SMART(percent_used, "percentage_used", "percent_used", PERCENT),
    SMART(endu_grp_crit_warn_sumry, "endurance group critical warning summary",
          "endurance_grp_critical_warning_summary", HEX),
};

static const struct sheet_field counters[] = {
    SMART(host_reads, "host_read_commands", NULL, DEC),
    SMART(host_writes, "host_write_commands", NULL, DEC),
    SMART(ctrl_busy_time, "controller_busy_time", NULL, DEC),
    SMART(power_cycles, "power_cycles", NULL, DEC),
    SMART(power_on_hours, "power_on_hours", NULL, DEC),
    SMART(unsafe_shutdowns, "unsafe_shutdowns", NULL, DEC),
    SMART(media_errors, "media_errors", NULL, DEC),
    SMART(num_err_log_entries, "num_err_log_entries", NULL, DEC),
    SMART(warning_temp_time, "Warning Temperature Time", "warning_temp_time", DEC),
    SMART(critical_comp_time, "Critical Composite Temperature Time", "critical_comp_time", DEC),
};

static const struct sheet_field thermal[] = {
    SMART(thm_temp1_trans_count, "Thermal Management T1 Trans Count", "thm_temp1_trans_count", DEC),
    SMART(thm_temp2_trans_count, "Thermal Management T2 Trans Count", "thm_temp2_trans_count", DEC),
    SMART(thm_temp1_total_time, "Thermal Management T1 Total Time", "thm_temp1_total_time", DEC),
    SMART(thm_temp2_total_time, "Thermal Management T2 Total Time", "thm_temp2_total_time", DEC),
};
// clang-format on

static void add_temperature(const struct sheet *s, const char *name, const char *key,
                            unsigned kelvin)
{
    sheet_line(s, "%-*s: %d C (%u Kelvin)", SMART_WIDTH, name, (int)kelvin - KELVIN, kelvin);
    json_u64(s->json, key, kelvin);
}

static void add_data_units(const struct sheet *s, const char *name, const char *key,
                           const uint64_t units[2])
{
    char count[DECIMAL_BYTES], bytes[DECIMAL_BYTES], size[24];
    decimal_text(units, 1, count);
    decimal_si(decimal_text(units, DATA_UNIT, bytes), size, sizeof(size));
    sheet_line(s, "%-*s: %s (%sB)", SMART_WIDTH, name, count, size);
    json_text(s->json, key, count);
}

static void add_sensor(const struct sheet *s, unsigned number, unsigned kelvin)
{
    char name[32], key[32];
    format_text(name, sizeof(name), "Temperature Sensor %u", number);
    format_text(key, sizeof(key), "temperature_sensor_%u", number);
    if (kelvin)
        add_temperature(s, name, key, kelvin);
}

void nvme_show_smart(const struct sheet *s, const struct nvme_smart_log *log)
{
    static const struct sheet_field warning =
        SMART(critical_warning, "critical_warning", NULL, HEX);
    uint64_t units[2];

    sheet_fields(s, &warning, 1, SMART_WIDTH, log);
    add_temperature(s, "temperature", "temperature", log->temperature);
    sheet_fields(s, spare, ARRAY_SIZE(spare), SMART_WIDTH, log);
    memcpy(units, log->data_units_read, sizeof(units));
    add_data_units(s, "Data Units Read", "data_units_read", units);
    memcpy(units, log->data_units_written, sizeof(units));
    add_data_units(s, "Data Units Written", "data_units_written", units);
    sheet_fields(s, counters, ARRAY_SIZE(counters), SMART_WIDTH, log);
    for (unsigned i = 0; i < ARRAY_SIZE(log->temp_sensor); i++)
        add_sensor(s, i + 1, log->temp_sensor[i]);
    sheet_fields(s, thermal, ARRAY_SIZE(thermal), SMART_WIDTH, log);
}

// ---- errors ----

#define ERROR_WIDTH 16

static const char *transport(unsigned trtype)
{
    static const char *const names[] = { "none", "RDMA", "Fibre Channel", "TCP" };
    return trtype < ARRAY_SIZE(names) ? names[trtype] : trtype == 254 ? "intra-host" : "reserved";
}

#define FIELD(member, form) SHEET_FIELD(struct nvme_error_entry, member, form)
#define NAMED(member, name, key, form) SHEET_NAMED(struct nvme_error_entry, member, name, key, form)
static const struct sheet_field error_whose[] = {
    FIELD(error_count, SHEET_DEC),
    FIELD(sqid, SHEET_DEC),
    NAMED(cid, "cmdid", NULL, SHEET_HEX),
};
static const struct sheet_field error_where[] = {
    NAMED(parm_error_location, "parm_err_loc", "parm_error_location", SHEET_HEX),
    FIELD(lba, SHEET_HEX),
    FIELD(nsid, SHEET_HEX),
    FIELD(vs, SHEET_DEC),
};
static const struct sheet_field error_besides[] = {
    FIELD(cs, SHEET_HEX),
    FIELD(trtype_spec_info, SHEET_HEX),
};
#undef FIELD
#undef NAMED

static void show_status(const struct sheet *s, const struct nvme_error_entry *e)
{
    char hex[SHEET_HEX_BYTES], words[80];
    uint32_t status = (uint32_t)field_get(NVME_ERROR_STATUS, e->status);
    uint32_t phase = e->status & NVME_ERROR_PHASE;

    sheet_line(s, "%-*s: %s(%s)", ERROR_WIDTH, "status_field", sheet_hex(status, hex),
               nvme_status_text(status, words, sizeof(words)));
    json_u64(s->json, "status_field", status);
    sheet_line(s, "%-*s: %s", ERROR_WIDTH, "phase_tag", sheet_hex(phase, hex));
    json_u64(s->json, "phase_tag", phase);
}

static void show_error(const struct sheet *s, const struct nvme_error_entry *e, size_t i)
{
    sheet_line(s, " Entry[%2zu]", i);
    json_open(s->json, NULL);
    sheet_fields(s, error_whose, ARRAY_SIZE(error_whose), ERROR_WIDTH, e);
    show_status(s, e);
    sheet_fields(s, error_where, ARRAY_SIZE(error_where), ERROR_WIDTH, e);
    sheet_line(s, "%-*s: %s", ERROR_WIDTH, "trtype", transport(e->trtype));
    json_u64(s->json, "trtype", e->trtype);
    sheet_fields(s, error_besides, ARRAY_SIZE(error_besides), ERROR_WIDTH, e);
    json_close(s->json);
}

void nvme_show_errors(const struct sheet *s, const struct nvme_error_entry *log, size_t count)
{
    size_t empty = 0;
    json_open_array(s->json, "errors");
    for (size_t i = 0; i < count; i++) {
        if (!log[i].error_count) {
            empty++;
            continue;
        }
        show_error(s, &log[i], i);
    }
    json_close_array(s->json);
    sheet_line(s, "%zu of %zu entries hold no error", empty, count);
}

// ---- firmware slots ----

void nvme_show_firmware(const struct sheet *s, const struct nvme_firmware_log *log)
{
    char hex[SHEET_HEX_BYTES], text[sizeof(log->frs[0]) + 1], key[8];

    sheet_line(s, "afi  : %s", sheet_hex(log->afi, hex));
    json_u64(s->json, "afi", log->afi);
    for (unsigned i = 0; i < NVME_FIRMWARE_SLOTS; i++) {
        uint64_t number;
        memcpy(&number, log->frs[i], sizeof(number));
        if (!number)
            continue;
        sheet_text(log->frs[i], sizeof(log->frs[i]), text, sizeof(text));
        sheet_line(s, "frs%u : %s (%s)", i + 1, sheet_hex(number, hex), text);
        format_text(key, sizeof(key), "frs%u", i + 1);
        json_text(s->json, key, text);
    }
}

// ---- self-tests ----

#define SELF_TEST_WIDTH 29
#define SELF_TEST_SEGMENT_FAILED 7

// A number in both forms, where `valid`.
static void add_result(const struct sheet *s, bool valid, const char *name, const char *key,
                       uint64_t value)
{
    char hex[SHEET_HEX_BYTES];
    if (!valid)
        return;
    sheet_line(s, "  %-*s: %s", SELF_TEST_WIDTH, name, sheet_hex(value, hex));
    json_u64(s->json, key, value);
}

static void add_self_test(const struct sheet *s, unsigned i, const struct nvme_self_test_result *r)
{
    unsigned result = (unsigned)field_get(NVME_DSTS_RESULT, r->dsts);
    unsigned code = (unsigned)field_get(NVME_DSTS_CODE, r->dsts);
    char first[SHEET_HEX_BYTES], second[SHEET_HEX_BYTES];

    sheet_line(s, "Self Test Result[%u]:", i);
    json_open(s->json, NULL);
    add_result(s, true, "Operation Result", "Self test result", result);
    sheet_line(s, "  %-*s: %x", SELF_TEST_WIDTH, "Self Test Code", code);
    json_u64(s->json, "Self test code", code);
    add_result(s, result == SELF_TEST_SEGMENT_FAILED, "Segment Number", "Segment number", r->seg);
    add_result(s, true, "Valid Diagnostic Information", "Valid Diagnostic Information", r->vdi);
    add_result(s, true, "Power on hours (POH)", "Power on hours", r->poh);
    add_result(s, r->vdi & NVME_VDI_NSID, "Namespace Identifier", "Namespace Identifier", r->nsid);
    add_result(s, r->vdi & NVME_VDI_FLBA, "Failing LBA", "Failing LBA", r->flba);
    add_result(s, r->vdi & NVME_VDI_SCT, "Status Code Type", "Status Code Type", r->sct);
    add_result(s, r->vdi & NVME_VDI_SC, "Status Code", "Status Code", r->sc);
    sheet_line(s, "  %-*s: %s %s", SELF_TEST_WIDTH, "Vendor Specific", sheet_hex(r->vs[0], first),
               sheet_hex(r->vs[1], second));
    json_u64(s->json, "Vendor Specific", r->vs[0] | r->vs[1] << 8);
    json_close(s->json);
}

void nvme_show_self_tests(const struct sheet *s, const struct nvme_self_test_log *log)
{
    char hex[SHEET_HEX_BYTES];
    unsigned none = 0;

    sheet_line(s, "Current operation  : %s", sheet_hex(log->current_operation, hex));
    sheet_line(s, "Current Completion : %u%%", log->current_completion);
    json_u64(s->json, "Current Device Self-Test Operation", log->current_operation);
    json_u64(s->json, "Current Device Self-Test Completion", log->current_completion);
    json_open_array(s->json, "List of Valid Reports");
    for (unsigned i = 0; i < NVME_SELF_TEST_RESULTS; i++) {
        if (field_get(NVME_DSTS_RESULT, log->result[i].dsts) == NVME_SELF_TEST_NO_ENTRY)
            none++;
        else
            add_self_test(s, i, &log->result[i]);
    }
    json_close_array(s->json);
    sheet_line(s, "%u of %u results are of no test", none, NVME_SELF_TEST_RESULTS);
}
