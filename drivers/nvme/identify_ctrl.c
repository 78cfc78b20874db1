// SPDX-License-Identifier: BSD-2-Clause
// What a controller says that it can do. Reserved bits are left out, since later revisions of the
// specification give them a meaning; what contradicts itself is left out with a warning.

#include "drivers/nvme/identify.h"
#include "drivers/nvme/quirks.h"
#include "lib/format.h"
#include "lib/string.h"

#define KINDS "nvme-identify" // one warning for each controller, however much is odd
#define UNIT_MS 100ull        // of CRDT, MTFA and KAS
#define KELVIN_LEAST 273u     // thresholds out of these are nonsense: 0 to 227 degrees
#define KELVIN_MOST 500u
#define CNTLID_LAST 0xffefu
#define ANA_MS 10000ull // where ANATT, against the specification, is 0
#define STRIPE_MOST 20u // 4 GiB

#define COMMANDS                                                                                   \
    (NVME_ONCS_COMPARE | NVME_ONCS_WRITE_UNCORRECTABLE | NVME_ONCS_DSM | NVME_ONCS_WRITE_ZEROES |  \
     NVME_ONCS_SAVE_SELECT | NVME_ONCS_RESERVATIONS | NVME_ONCS_TIMESTAMP | NVME_ONCS_VERIFY |     \
     NVME_ONCS_COPY)
#define EVENTS                                                                                     \
    (NVME_AEN_NAMESPACES | NVME_AEN_FIRMWARE | NVME_AEN_ANA | NVME_AEN_LBA_STATUS |                \
     NVME_AEN_SHUTDOWN | NVME_AEN_ZONES)

static void take_commands(const char *name, const struct nvme_identify_controller *data,
                          unsigned quirks, struct nvme_abilities *out, struct warnings *w)
{
    out->commands = data->oncs & COMMANDS;
    out->shadow_doorbells = data->oacs & NVME_OACS_DBBUF;
    out->manages_virtual = data->oacs & NVME_OACS_VIRTUALISATION;
    out->manages_namespaces = data->oacs & NVME_OACS_NAMESPACES;
    if (quirks & NVME_QUIRK_NO_WRITE_ZEROES)
        out->commands &= ~NVME_ONCS_WRITE_ZEROES;
    if ((out->commands & NVME_ONCS_COPY) && !(data->ocfs & 1)) {
        warnings_add(w, KINDS, "%s: it can copy (ONCS), but not by format 0 (OCFS %04xh): not used",
                     name, data->ocfs);
        out->commands &= ~NVME_ONCS_COPY;
    }
    out->compare_and_write = data->fuses & NVME_FUSES_COMPARE_WRITE;
    if (out->compare_and_write && !(data->oncs & NVME_ONCS_COMPARE)) {
        warnings_add(w, KINDS, "%s: it fuses Compare and Write (FUSES), but has no Compare (ONCS)",
                     name);
        out->compare_and_write = false;
    }
}

static void take_cache_and_sgl(const char *name, const struct nvme_identify_controller *data,
                               unsigned quirks, struct nvme_abilities *out, struct warnings *w)
{
    uint64_t sgls = field_get(NVME_SGLS_SUPPORT, data->sgls);

    out->write_cache = data->vwc & NVME_VWC_PRESENT;
    out->flush_all = field_get(NVME_VWC_FLUSH_ALL, data->vwc) == 3;
    out->sgl = (sgls == 1 || sgls == 2) && !(quirks & NVME_QUIRK_NO_SGL);
    if (sgls == 3)
        warnings_add(w, KINDS, "%s: SGLS has a reserved value: its SGLs aren't used", name);
}

static void take_atomicity(const char *name, const struct nvme_identify_controller *data,
                           struct nvme_abilities *out, struct warnings *w)
{
    out->atomic = data->awun + 1u;
    out->atomic_power_fail = data->awupf + 1u;
    out->atomic_compare = data->acwu + 1u;
    if (out->atomic_power_fail <= out->atomic)
        return;
    warnings_add(w, KINDS, "%s: AWUPF is %u, more than AWUN, %u: the smaller one counts", name,
                 data->awupf, data->awun);
    out->atomic_power_fail = out->atomic;
}

static void take_events(const struct nvme_identify_controller *data, struct nvme_abilities *out)
{
    out->events = data->oaes & EVENTS;
    out->event_most = data->aerl + 1u;
    out->abort_most = data->acl + 1u;
    out->retry_ms[0] = 0;
    out->retry_ms[1] = data->crdt1 * UNIT_MS;
    out->retry_ms[2] = data->crdt2 * UNIT_MS;
    out->retry_ms[3] = data->crdt3 * UNIT_MS;
    out->pause_ms = data->mtfa * UNIT_MS;
    out->keep_alive_ms = data->kas * UNIT_MS;
    out->error_entries = data->elpe + 1u;
    out->logs = data->lpa;
}

static bool is_threshold(unsigned kelvin)
{
    return kelvin >= KELVIN_LEAST && kelvin <= KELVIN_MOST;
}

static void take_temperatures(const char *name, const struct nvme_identify_controller *data,
                              struct nvme_abilities *out, struct warnings *w)
{
    unsigned warning = data->wctemp, critical = data->cctemp;
    if ((warning && !is_threshold(warning)) || (critical && !is_threshold(critical)) ||
        (warning && critical && critical < warning)) {
        warnings_add(w, KINDS, "%s: thresholds of %u and %u K (WCTEMP, CCTEMP) can't be: not used",
                     name, warning, critical);
        return;
    }
    out->warning_kelvin = warning;
    out->critical_kelvin = critical;
}

// ---- the subsystem ----

static size_t name_length(const char *subnqn)
{
    const char *end = memchr(subnqn, 0, NVME_SUBNQN_BYTES);
    size_t length = end ? (size_t)(end - subnqn) : NVME_SUBNQN_BYTES;
    for (size_t i = 0; i < length && i < NVME_SUBNQN_BYTES; i++)
        if (subnqn[i] <= ' ' || subnqn[i] > 126)
            return 0;
    return length == NVME_SUBNQN_BYTES || strncmp(subnqn, "nqn.", 4) != 0 ? 0 : length;
}

// Blanks are part of this name.
static void make_name(const struct nvme_identify_controller *data, char *to)
{
    int at = format_text(to, NVME_SUBNQN_BYTES, "nqn.2014.08.org.nvmexpress:%04x%04x", data->vid,
                         data->ssvid);
    memcpy(to + at, data->sn, sizeof(data->sn));
    memcpy(to + at + sizeof(data->sn), data->mn, sizeof(data->mn));
    to[at + (int)(sizeof(data->sn) + sizeof(data->mn))] = 0;
    for (char *c = to; c < to + at + sizeof(data->sn) + sizeof(data->mn); c++)
        *c = *c >= ' ' && *c < 127 ? *c : '?';
}

static void take_subsystem(const char *name, const struct nvme_identify_controller *data,
                           struct nvme_abilities *out, struct warnings *w)
{
    size_t length = name_length(data->subnqn);
    if (length)
        memcpy(out->subsystem, data->subnqn, length + 1);
    else
        make_name(data, out->subsystem);
    if (!length && data->subnqn[0])
        warnings_add(w, KINDS, "%s: SUBNQN is no name that begins with \"nqn.\": not used", name);
    out->id = data->cntlid;
    out->shares = data->cmic & NVME_CMIC_MULTI_CTRL;
    if (data->cntlid > CNTLID_LAST)
        warnings_add(w, KINDS, "%s: CNTLID %04xh is reserved", name, data->cntlid);
}

static void take_ana(const char *name, const struct nvme_identify_controller *data,
                     struct nvme_abilities *out, struct warnings *w)
{
    if (!(data->cmic & NVME_CMIC_ANA))
        return;
    if (!data->anagrpmax || !data->nanagrpid || data->nanagrpid > data->anagrpmax) {
        warnings_add(w, KINDS,
                     "%s: it reports access states (CMIC), but of %u groups up to number %u "
                     "(NANAGRPID, ANAGRPMAX): not used",
                     name, data->nanagrpid, data->anagrpmax);
        return;
    }
    out->ana = true;
    out->ana_groups = data->nanagrpid;
    out->ana_ms = data->anatt ? data->anatt * 1000ull : ANA_MS;
}

// ---- what isn't in the specification ----

// The vendor's byte 3 counts pages, as a power of two (Linux: NVME_QUIRK_STRIPE_SIZE).
static uint64_t stripe(const struct nvme_identify_controller *data, unsigned quirks)
{
    uint8_t shift = data->vs[3];
    return (quirks & NVME_QUIRK_STRIPE) && shift && shift <= STRIPE_MOST ? 4 * KIB << shift : 0;
}

void nvme_parse_abilities(const char *name, const struct nvme_identify_controller *data,
                          unsigned quirks, struct nvme_abilities *out, struct warnings *w)
{
    *out = (struct nvme_abilities){ 0 };
    take_commands(name, data, quirks, out, w);
    take_cache_and_sgl(name, data, quirks, out, w);
    take_atomicity(name, data, out, w);
    take_events(data, out);
    take_temperatures(name, data, out, w);
    take_subsystem(name, data, out, w);
    take_ana(name, data, out, w);
    out->stripe = stripe(data, quirks);
    out->extended_formats = data->ctratt & NVME_CTRATT_ELBAS;
}
