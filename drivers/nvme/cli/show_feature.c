// SPDX-License-Identifier: BSD-2-Clause
// get-feature: a feature's value, and what its bits mean.
#include "drivers/nvme/cli/show.h"
#include "lib/string.h"

#define KELVIN 273
#define SENSORS 8

static const struct {
    uint8_t fid;
    uint16_t bytes; // of data, besides dword 0 of the completion
    const char *name;
} features[] = {
    { NVME_FEATURE_ARBITRATION, 0, "Arbitration" },
    { NVME_FEATURE_POWER, 0, "Power Management" },
    { NVME_FEATURE_LBA_RANGE, 4096, "LBA Range Type" },
    { NVME_FEATURE_TEMPERATURE, 0, "Temperature Threshold" },
    { NVME_FEATURE_ERROR_RECOVERY, 0, "Error Recovery" },
    { NVME_FEATURE_WRITE_CACHE, 0, "Volatile Write Cache" },
    { NVME_FEATURE_QUEUES, 0, "Number of Queues" },
    { NVME_FEATURE_COALESCING, 0, "Interrupt Coalescing" },
    { NVME_FEATURE_VECTOR, 0, "Interrupt Vector Configuration" },
    { NVME_FEATURE_ATOMICITY, 0, "Write Atomicity Normal" },
    { NVME_FEATURE_EVENTS, 0, "Async Event Configuration" },
    { NVME_FEATURE_APST, 256, "Autonomous Power State Transition" },
    { NVME_FEATURE_HMB, 16, "Host Memory Buffer" },
    { NVME_FEATURE_TIMESTAMP, 8, "Timestamp" },
    { NVME_FEATURE_KEEP_ALIVE, 0, "Keep Alive Timer" },
    { NVME_FEATURE_THERMAL, 0, "Host Controlled Thermal Management" },
    { NVME_FEATURE_NOPSC, 0, "Non-Operational Power State Config" },
    { NVME_FEATURE_HOST_BEHAVIOR, NVME_HOST_BEHAVIOR_BYTES, "Host Behavior" },
};

const char *nvme_feature_name(unsigned fid)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].fid == fid)
            return features[i].name;
    return "Unknown";
}

size_t nvme_feature_bytes(unsigned fid)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].fid == fid)
            return features[i].bytes;
    return 0;
}

unsigned nvme_feature_next(unsigned fid)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].fid > fid)
            return features[i].fid;
    return 0;
}

static unsigned part(uint32_t mask, uint32_t value)
{
    return (unsigned)field_get(mask, value);
}

static void show_arbitration(const struct sheet *s, uint32_t value)
{
    unsigned burst = part(NVME_ARB_AB, value);
    sheet_line(s, "    High Priority Weight   (HPW): %u", part(NVME_ARB_HPW, value) + 1);
    sheet_line(s, "    Medium Priority Weight (MPW): %u", part(NVME_ARB_MPW, value) + 1);
    sheet_line(s, "    Low Priority Weight    (LPW): %u", part(NVME_ARB_LPW, value) + 1);
    if (burst == NVME_ARB_AB_UNLIMITED)
        sheet_line(s, "    Arbitration Burst       (AB): No limit");
    else
        sheet_line(s, "    Arbitration Burst       (AB): %u", 1u << burst);
}

static void show_power(const struct sheet *s, uint32_t value)
{
    static const char *const hints[] = { "No Workload",
                                         "Extended Idle Period with a Burst of Random Writes",
                                         "Heavy Sequential Writes" };
    unsigned hint = part(NVME_POWER_WH, value);
    sheet_line(s, "    Workload Hint (WH): %u - %s", hint,
               hint < ARRAY_SIZE(hints) ? hints[hint] : "Reserved");
    sheet_line(s, "    Power State   (PS): %u", part(NVME_POWER_PS, value));
}

static void show_temperature(const struct sheet *s, uint32_t value)
{
    static const char *const types[] = { "Over Temperature Threshold",
                                         "Under Temperature Threshold", "Reserved", "Reserved" };
    unsigned type = part(NVME_TEMPERATURE_THSEL, value);
    unsigned sensor = part(NVME_TEMPERATURE_TMPSEL, value);
    unsigned kelvin = part(NVME_TEMPERATURE_TMPTH, value);

    sheet_line(s, "    Threshold Type Select         (THSEL): %u - %s", type, types[type]);
    if (sensor >= 1 && sensor <= SENSORS)
        sheet_line(s, "    Threshold Temperature Select (TMPSEL): %u - Temperature Sensor %u",
                   sensor, sensor);
    else
        sheet_line(s, "    Threshold Temperature Select (TMPSEL): %u - %s", sensor,
                   sensor ? "Reserved" : "Composite Temperature");
    sheet_line(s, "    Temperature Threshold         (TMPTH): %d C (%u Kelvin)",
               (int)kelvin - KELVIN, kelvin);
}

static void show_error_recovery(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Deallocated or Unwritten Logical Block Error Enable (DULBE): %s",
               value & NVME_ERROR_DULBE ? "Enabled" : "Disabled");
    sheet_line(s, "    Time Limited Error Recovery                          (TLER): %u ms",
               part(NVME_ERROR_TLER, value) * 100);
}

static void show_write_cache(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Volatile Write Cache Enable (WCE): %s",
               value & NVME_WRITE_CACHE_WCE ? "Enabled" : "Disabled");
}

static void show_queues(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Number of IO Completion Queues Allocated (NCQA): %u",
               part(NVME_QUEUES_NCQ, value) + 1);
    sheet_line(s, "    Number of IO Submission Queues Allocated (NSQA): %u",
               part(NVME_QUEUES_NSQ, value) + 1);
}

static void show_coalescing(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Aggregation Time     (TIME): %u usec",
               part(NVME_COALESCING_TIME, value) * 100);
    sheet_line(s, "    Aggregation Threshold (THR): %u", part(NVME_COALESCING_THR, value) + 1);
}

static void show_vector(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Coalescing Disable (CD): %s", value & NVME_VECTOR_CD ? "True" : "False");
    sheet_line(s, "    Interrupt Vector   (IV): %u", part(NVME_VECTOR_IV, value));
}

static void show_atomicity(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Disable Normal (DN): %s", value & NVME_ATOMICITY_DN ? "True" : "False");
}

static void show_events(const struct sheet *s, uint32_t value)
{
    static const struct {
        const char *name;
        uint32_t mask;
    } events[] = {
        { "LBA Status Information Notices", NVME_AEN_LBA_STATUS },
        { "Asymmetric Namespace Access Change Notices", NVME_AEN_ANA },
        { "Firmware Activation Notices", NVME_AEN_FIRMWARE },
        { "Namespace Attribute Notices", NVME_AEN_NAMESPACES },
        { "SMART / Health Critical Warnings", NVME_EVENTS_SMART },
    };
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        sheet_line(s, "    %-58s: %s", events[i].name,
                   value & events[i].mask ? "Send async event" : "Do not send async event");
}

static void show_thermal(const struct sheet *s, uint32_t value)
{
    unsigned first = part(NVME_THERMAL_TMT1, value), second = part(NVME_THERMAL_TMT2, value);
    sheet_line(s, "    Thermal Management Temperature 1 (TMT1) : %u Kelvin (%d C)", first,
               (int)first - KELVIN);
    sheet_line(s, "    Thermal Management Temperature 2 (TMT2) : %u Kelvin (%d C)", second,
               (int)second - KELVIN);
}

static void show_keep_alive(const struct sheet *s, uint32_t value)
{
    sheet_line(s, "    Keep Alive Timeout (KATO) in milliseconds: %u", value);
}

static void show_bits(const struct sheet *s, unsigned fid, uint32_t value)
{
    static void (*const shows[])(const struct sheet *, uint32_t) = {
        [NVME_FEATURE_ARBITRATION] = show_arbitration,
        [NVME_FEATURE_POWER] = show_power,
        [NVME_FEATURE_TEMPERATURE] = show_temperature,
        [NVME_FEATURE_ERROR_RECOVERY] = show_error_recovery,
        [NVME_FEATURE_WRITE_CACHE] = show_write_cache,
        [NVME_FEATURE_QUEUES] = show_queues,
        [NVME_FEATURE_COALESCING] = show_coalescing,
        [NVME_FEATURE_VECTOR] = show_vector,
        [NVME_FEATURE_ATOMICITY] = show_atomicity,
        [NVME_FEATURE_EVENTS] = show_events,
        [NVME_FEATURE_KEEP_ALIVE] = show_keep_alive,
        [NVME_FEATURE_THERMAL] = show_thermal,
    };
    if (fid < ARRAY_SIZE(shows) && shows[fid])
        shows[fid](s, value);
}

// What the completion says of the feature itself (5.15.1).
static void show_capabilities(const struct sheet *s, uint32_t value)
{
    if (value & NVME_CAPABILITY_SAVEABLE)
        sheet_line(s, "  Feature is saveable");
    if (value & NVME_CAPABILITY_NAMESPACE)
        sheet_line(s, "  Feature is per-namespace");
    if (value & NVME_CAPABILITY_CHANGEABLE)
        sheet_line(s, "  Feature is changeable");
}

void nvme_show_feature(const struct sheet *s, unsigned fid, unsigned sel, uint32_t value)
{
    static const char *const sels[] = { "Current", "Default", "Saved", "Supported capabilities" };
    const char *name = nvme_feature_name(fid);

    sheet_line(s, "get-feature:0x%02x (%s), %s value:0x%08x", fid, name, sels[sel & 3], value);
    json_u64(s->json, "fid", fid);
    json_text(s->json, "feature", name);
    json_u64(s->json, "sel", sel);
    json_u64(s->json, "value", value);
    if (sel == NVME_SEL_CAPABILITIES)
        show_capabilities(s, value);
    else
        show_bits(s, fid, value);
}
