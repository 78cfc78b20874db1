// SPDX-License-Identifier: BSD-2-Clause
// By what a namespace is known again, and in what state a controller's way to it is.

#include "drivers/nvme/identify.h"
#include "lib/string.h"

#define KINDS "nvme-identify"

void nvme_parse_identity(const struct nvme_identify_namespace *data, struct nvme_identity *out)
{
    *out = (struct nvme_identity){
        .csi = NVME_CSI_NVM,
        .shared = data->nmic & NVME_NMIC_SHARED,
        .ana_group = data->anagrpid,
    };
    memcpy(out->nguid, data->nguid, sizeof(out->nguid));
    memcpy(out->eui64, data->eui64, sizeof(out->eui64));
}

void nvme_parse_independent(const struct nvme_independent_namespace *data,
                            struct nvme_identity *out)
{
    out->shared = data->nmic & NVME_NMIC_SHARED;
    out->ana_group = data->anagrpid;
}

// ---- namespace identification descriptors (5.17.2.3) ----

// Where an identifier goes, by its type; NULL: it is unknown, and passed over.
static void *place_of(struct nvme_identity *out, uint8_t type, size_t *bytes)
{
    switch (type) {
    case NVME_NIDT_EUI64:
        *bytes = sizeof(out->eui64);
        return out->eui64;
    case NVME_NIDT_NGUID:
        *bytes = sizeof(out->nguid);
        return out->nguid;
    case NVME_NIDT_UUID:
        *bytes = sizeof(out->uuid);
        return out->uuid;
    case NVME_NIDT_CSI:
        *bytes = sizeof(out->csi);
        return &out->csi;
    }
    return NULL;
}

void nvme_parse_descriptors(const char *name, const uint8_t page[NVME_PAGE],
                            struct nvme_identity *out, struct warnings *w)
{
    struct nvme_id_descriptor d;
    size_t bytes = 0;

    for (size_t at = 0; at + sizeof(d) <= NVME_PAGE; at += sizeof(d) + d.nidl) {
        memcpy(&d, page + at, sizeof(d));
        if (!d.nidl)
            return;
        void *to = place_of(out, d.nidt, &bytes);
        if (at + sizeof(d) + d.nidl > NVME_PAGE || (to && d.nidl != bytes)) {
            warnings_add(w, KINDS,
                         "%s: its list of identifiers (Identify, CNS 3) has one of type %u with %u "
                         "bytes: the rest isn't read",
                         name, d.nidt, d.nidl);
            return;
        }
        if (to)
            memcpy(to, page + at + sizeof(d), bytes);
    }
}

// ---- one disk, several ways ----

static bool is_set(const uint8_t *id, size_t bytes)
{
    while (bytes && !*id)
        id++, bytes--;
    return bytes;
}

static bool differ(const uint8_t *a, const uint8_t *b, size_t bytes)
{
    return is_set(a, bytes) && is_set(b, bytes) && memcmp(a, b, bytes) != 0;
}

// Numbers of controllers are unique in a subsystem (5.17.2.1, CNTLID), so that two with one number are of
// two, which have the same name and serial number by mistake.
bool nvme_is_same_subsystem(const struct nvme_way *a, const struct nvme_way *b)
{
    return a->controller != b->controller && strcmp(a->subsystem, b->subsystem) == 0 &&
           strcmp(a->serial, b->serial) == 0;
}

bool nvme_is_same_disk(const struct nvme_way *a, const struct nvme_way *b)
{
    const struct nvme_identity *x = a->identity, *y = b->identity;
    return a->nsid == b->nsid && x->shared && y->shared && x->csi == y->csi &&
           nvme_is_same_subsystem(a, b) && !differ(x->nguid, y->nguid, sizeof(x->nguid)) &&
           !differ(x->eui64, y->eui64, sizeof(x->eui64)) &&
           !differ(x->uuid, y->uuid, sizeof(x->uuid));
}

// ---- Asymmetric Namespace Access (5.16.1.13, 8.1) ----

const char *nvme_ana_text(enum nvme_ana_state state)
{
    switch (state) {
    case NVME_ANA_OPTIMIZED:
        return "optimized";
    case NVME_ANA_NON_OPTIMIZED:
        return "non-optimized";
    case NVME_ANA_INACCESSIBLE:
        return "inaccessible";
    case NVME_ANA_LOST:
        return "persistent loss";
    case NVME_ANA_CHANGE:
        return "change";
    }
    return NULL;
}

bool nvme_parse_ana(const void *log, size_t bytes, uint32_t group, enum nvme_ana_state *state)
{
    struct nvme_ana_log header;
    struct nvme_ana_group g;

    if (bytes < sizeof(header))
        return false;
    memcpy(&header, log, sizeof(header));
    for (size_t at = sizeof(header), i = 0; i < header.groups; i++) {
        if (bytes - at < sizeof(g))
            return false;
        memcpy(&g, (const uint8_t *)log + at, sizeof(g));
        *state = (enum nvme_ana_state)field_get(NVME_ANA_STATE, g.state);
        if (g.group == group)
            return nvme_ana_text(*state);
        at += sizeof(g);
        if (g.namespaces > (bytes - at) / sizeof(uint32_t))
            return false;
        at += g.namespaces * sizeof(uint32_t);
    }
    return false;
}
