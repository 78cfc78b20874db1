// SPDX-License-Identifier: BSD-2-Clause
// From one namespace to a block device: what Identify says of it, and what follows for commands.

#include "drivers/nvme/setup.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/health.h"
#include "drivers/nvme/quirks.h"
#include "drivers/nvme/round.h"
#include "drivers/nvme/ways.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"
#include "lib/string.h"

// Of the namespace that is being looked at.
struct seen {
    const struct nvme_identify_namespace *data;
    struct nvme_format format;
    struct nvme_identity identity;
    struct nvme_zoned zoned; // zeros: it isn't
    struct block_limits limits;
};

// ---- Identify, by command set ----

static bool identify(struct nvme_ctrl *c, unsigned cns, unsigned csi, uint32_t nsid,
                     const char *what, struct problem *p)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_IDENTIFY | field_put(NVME_SQE_NSID, nsid),
        .prp1 = mem_phys(c->page),
        .cdw10 = cns,
        .cdw11 = (uint32_t)field_put(NVME_IDENTIFY_CSI, csi),
    };
    memset(c->page, 0, NVME_PAGE);
    return nvme_admin(c, &sqe, what, NULL, p);
}

// What not all controllers tell; NULL where this one doesn't.
static void *identify_optional(struct nvme_ctrl *c, unsigned csi)
{
    struct problem p;
    if (c->command.lost ||
        !identify(c, NVME_CNS_CSI_CONTROLLER, csi, 0, "Identify Controller of a command set", &p))
        return NULL;
    void *data = mem_alloc_dma(NVME_PAGE, NVME_PAGE, c->dev->node);
    memcpy(data, c->page, NVME_PAGE);
    return data;
}

bool nvme_command_sets_identify(struct nvme_ctrl *c, struct problem *p)
{
    if (c->quirks & NVME_QUIRK_ODD_CNS)
        return true;
    if (c->limits.command_sets || c->version >= NVME_VERSION(2, 0))
        c->nvm = identify_optional(c, NVME_CSI_NVM);
    if (c->limits.command_sets)
        c->zoned = identify_optional(c, NVME_CSI_ZONED);
    return !c->command.lost || problem_set(p, "nvme-admin-timeout",
                                           "%s: no answer to Identify of a command set", c->label);
}

// ---- one namespace ----

// By what it is known again matters where there can be another way to it, and its command set where
// there are several.
static bool take_identity(struct nvme_ctrl *c, const char *name, uint32_t nsid, struct seen *seen,
                          struct warnings *w, struct problem *p)
{
    nvme_parse_identity(seen->data, &seen->identity);
    if ((!c->limits.command_sets && !c->abilities.shares) ||
        (c->quirks & (NVME_QUIRK_ODD_CNS | NVME_QUIRK_NO_DESCRIPTORS)))
        return true;
    if (identify(c, NVME_CNS_DESCRIPTORS, 0, nsid, "Identify Namespace Descriptors", p))
        nvme_parse_descriptors(name, c->page, &seen->identity, w);
    if (seen->identity.csi != NVME_CSI_NVM && !c->command.lost &&
        identify(c, NVME_CNS_INDEPENDENT_NAMESPACE, 0, nsid, "Identify, CNS 8", p))
        nvme_parse_independent(c->page, &seen->identity);
    return !c->command.lost;
}

// The guard's length, where formats can have several.
static const struct nvme_identify_nvm_namespace *guards(struct nvme_ctrl *c, uint32_t nsid)
{
    struct problem p;
    if (c->abilities.extended_formats && identify(c, NVME_CNS_CSI_NAMESPACE, NVME_CSI_NVM, nsid,
                                                  "Identify Namespace of the NVM command set", &p))
        return c->page;
    return NULL;
}

static bool take_zones(struct nvme_ctrl *c, const char *name, uint32_t nsid, struct seen *seen,
                       struct warnings *w, struct problem *p)
{
    if (seen->identity.csi == NVME_CSI_NVM)
        return true;
    if (seen->identity.csi != NVME_CSI_ZONED)
        return problem_set(p, "nvme-command-set",
                           "%s: its command set is %02xh: only NVM (00h) and zoned (02h) are "
                           "supported",
                           name, seen->identity.csi);
    return identify(c, NVME_CNS_CSI_NAMESPACE, NVME_CSI_ZONED, nsid,
                    "Identify Namespace of the zoned command set", p) &&
           nvme_parse_zoned(name, c->page, c->zoned, &seen->format, c->id.max_transfer,
                            &seen->zoned, w, p);
}

static void take_limits(struct nvme_ctrl *c, const char *name, struct seen *seen,
                        struct warnings *w)
{
    struct block_limits *limits = &seen->limits;
    nvme_parse_limits(name, seen->data, &seen->format, &c->abilities, c->id.max_transfer, limits,
                      w);
    nvme_parse_nvm_controller(c->nvm, &c->abilities, limits);
    limits->zone = seen->zoned.zone_blocks << seen->format.block_shift;
    limits->max_append = seen->zoned.max_append;
}

// ---- what follows for commands ----

static uint64_t blocks_of(const struct nvme_ns *ns, uint64_t bytes)
{
    return bytes >> ns->block_shift;
}

// Only where data move does it matter which boundaries they cross.
static struct nvme_cuts data_cuts(const struct nvme_ns *ns, const struct seen *seen, bool writes)
{
    return (struct nvme_cuts){
        .most = (uint32_t)blocks_of(ns, seen->limits.max_transfer),
        .boundary = (uint32_t)blocks_of(ns, seen->limits.boundary),
        .zone = writes || !seen->zoned.read_across ? seen->zoned.zone_blocks : 0,
    };
}

static struct nvme_cuts bare_cuts(const struct nvme_ns *ns, const struct seen *seen, uint64_t most)
{
    return (struct nvme_cuts){
        .most = (uint32_t)MAX(MIN(blocks_of(ns, most), UINT32_MAX + 0ull), 1ull),
        .zone = seen->zoned.zone_blocks,
    };
}

// Verify must not say PRACT, and Write Zeroes nothing else (NVM Command Set 1.0, 3.2.5, 3.2.8).
static void form(struct nvme_ns *ns, const struct seen *seen)
{
    const struct nvme_format *f = &seen->format;
    struct nvme_form *forms = ns->forms;
    uint64_t zeroes = seen->limits.max_zeroes, verify = seen->limits.max_verify;

    forms[BLOCK_READ].cuts = data_cuts(ns, seen, false);
    forms[BLOCK_WRITE].cuts = forms[BLOCK_COMPARE].cuts = data_cuts(ns, seen, true);
    forms[BLOCK_FLUSH].cuts.most = 1;
    forms[BLOCK_WRITE_ZEROES].cuts = bare_cuts(ns, seen, zeroes);
    forms[BLOCK_VERIFY].cuts = bare_cuts(ns, seen, verify);
    forms[BLOCK_DEALLOCATE].cuts = bare_cuts(ns, seen, seen->limits.max_deallocate);
    forms[BLOCK_COPY].cuts = bare_cuts(ns, seen, seen->limits.max_copy);
    ns->copy = (struct nvme_copy){
        .source_most = (uint32_t)blocks_of(ns, seen->limits.max_copy_source),
        .ranges_most = seen->limits.copy_sources,
    };
    static const enum block_op protected[] = { BLOCK_READ, BLOCK_WRITE, BLOCK_WRITE_ZEROES,
                                               BLOCK_VERIFY, BLOCK_COPY };
    for (size_t i = 0; i < ARRAY_SIZE(protected); i++) {
        forms[protected[i]].control = f->control;
        forms[protected[i]].tag_mask = f->tag_mask;
    }
    forms[BLOCK_VERIFY].control &= ~NVME_PRINFO_PRACT;
    forms[BLOCK_WRITE_ZEROES].control &= NVME_PRINFO_PRACT;
    for (enum block_op op = BLOCK_ZONE_REPORT; op < BLOCK_OPS; op++)
        forms[op].cuts.most = UINT32_MAX;
}

// Nobody reads what is in the sink, and nobody writes to the zeros: all commands share them.
static void give_metadata(struct nvme_ns *ns)
{
    struct nvme_ctrl *c = ns->ctrl;
    if (!c->metadata_sink) {
        c->metadata_sink = mem_alloc_dma(NVME_METADATA_MAX, NVME_PAGE, c->dev->node);
        c->metadata_zeros = mem_alloc_dma(NVME_METADATA_MAX, NVME_PAGE, c->dev->node);
    }
    ns->forms[BLOCK_READ].mptr = mem_phys(c->metadata_sink);
    ns->forms[BLOCK_WRITE].mptr = mem_phys(c->metadata_zeros);
    ns->forms[BLOCK_ZONE_APPEND].mptr = ns->forms[BLOCK_WRITE].mptr;
}

// Compare would have the host bring the metadata, where there are some. The tags of what is appended
// would be those of a place that nobody knows yet. A copy that is tried again as a whole would write a
// zone's blocks twice; and there are only 32 bits for the tags of its sources.
static uint32_t ops_of(const struct nvme_ctrl *c, const struct seen *seen)
{
    const struct block_limits *limits = &seen->limits;
    uint32_t ops = BIT32(BLOCK_READ) | BIT32(BLOCK_FLUSH);
    if ((c->abilities.commands & NVME_ONCS_COMPARE) && !limits->metadata)
        ops |= BIT32(BLOCK_COMPARE);
    if (limits->max_verify)
        ops |= BIT32(BLOCK_VERIFY);
    if (seen->zoned.zones)
        ops |= BIT32(BLOCK_ZONE_REPORT);
    if (limits->read_only)
        return ops;
    ops |= BIT32(BLOCK_WRITE);
    if (limits->max_zeroes)
        ops |= BIT32(BLOCK_WRITE_ZEROES);
    if (limits->max_deallocate)
        ops |= BIT32(BLOCK_DEALLOCATE);
    if (limits->max_copy && !seen->zoned.zones && !seen->format.extended)
        ops |= BIT32(BLOCK_COPY);
    if (seen->zoned.zones)
        ops |= BIT32(BLOCK_ZONE_FINISH) | BIT32(BLOCK_ZONE_RESET);
    if (seen->zoned.zones && !seen->format.protection)
        ops |= BIT32(BLOCK_ZONE_APPEND);
    return ops;
}

static bool read_zones(const struct block_dev *dev, const void *report, size_t bytes,
                       uint64_t first, struct block_zone *out, size_t most, size_t *count,
                       struct problem *p)
{
    const struct nvme_ns *ns = dev->driver;
    return nvme_parse_zones(dev->name, report, bytes, &ns->zoned, first, out, most, count, p);
}

static struct nvme_formatted formatted(const struct nvme_identify_namespace *data)
{
    return (struct nvme_formatted){
        .lbaf = data->lbaf[nvme_format_index(data)],
        .flbas = data->flbas,
        .dps = data->dps,
    };
}

static struct nvme_ns *make(struct nvme_ctrl *c, uint32_t nsid, const char *name,
                            const struct seen *seen)
{
    struct nvme_ns *ns = mem_alloc(sizeof(*ns), CACHE_LINE, c->dev->node);

    ns->head = field_put(NVME_SQE_NSID, nsid);
    memcpy(ns->queue_of, c->queue_of, sizeof(ns->queue_of));
    ns->block_shift = seen->format.block_shift;
    ns->ctrl = c;
    ns->identity = seen->identity;
    memcpy(ns->nguid, seen->data->nguid, sizeof(ns->nguid));
    memcpy(ns->eui64, seen->data->eui64, sizeof(ns->eui64));
    ns->zoned = seen->zoned;
    ns->formatted = formatted(seen->data);
    ns->protection = seen->format.protection;
    ns->way = nvme_way_state(c, &seen->identity);
    form(ns, seen);
    if (seen->format.metadata_buffer)
        give_metadata(ns);
    ns->dev = (struct block_dev){
        .nsid = nsid,
        .block_size = seen->limits.block_size,
        .blocks = seen->format.blocks,
        .max_transfer = seen->limits.max_transfer,
        .limits = seen->limits,
        .queues = c->plain_count,
        .channels = c->plain_count / c->set_count,
        .node = c->dev->node,
        .ops = ops_of(c, seen),
        .prepare = nvme_prepare,
        .open_stream = nvme_open_stream,
        .close_stream = nvme_close_stream,
        .health = nvme_health,
        .read_zones = seen->zoned.zones ? read_zones : NULL,
        .sample_health = nvme_sample_health,
        .driver = ns,
    };
    memcpy(ns->dev.name, name, sizeof(ns->dev.name));
    memcpy(ns->dev.serial, c->id.serial, sizeof(c->id.serial));
    memcpy(ns->dev.model, c->id.model, sizeof(c->id.model));
    return ns;
}
static_assert(sizeof(((struct block_dev *)0)->serial) == sizeof(((struct nvme_id *)0)->serial), "");
static_assert(sizeof(((struct block_dev *)0)->model) == sizeof(((struct nvme_id *)0)->model), "");

static void make_known(struct nvme_ns *ns)
{
    ns->known = true;
    ns->dev.same_as = NULL;
    block_add(&ns->dev);
    nvme_ways_find(ns);
    nvme_ways_doubt(ns);
}

// One that waits for the controller's queues to be ready for it.
struct joining {
    struct nvme_round round;
    struct nvme_ns *ns;
};

// Unless it has gone meanwhile.
static void joins(struct nvme_round *round)
{
    const struct joining *joining = container_of(round, struct joining, round);
    if (!joining->ns->known && !joining->ns->dev.gone)
        make_known(joining->ns);
}

static void join(struct nvme_ns *ns, void (*prepare)(struct nvme_queue *q))
{
    struct nvme_ctrl *c = ns->ctrl;
    struct joining *joining = mem_alloc(sizeof(*joining), CACHE_LINE, c->dev->node);
    joining->ns = ns;
    nvme_round_init(&joining->round, c);
    nvme_round_go(&joining->round, prepare, joins);
}

// What its commands need of the queues, beyond what plain blocks do: fields that others leave as they
// are, or a look at each completion. NULL: nothing.
static void (*prepares(const struct seen *seen))(struct nvme_queue *q)
{
    if (seen->zoned.zones)
        return nvme_queue_serve_zones;
    if (seen->format.metadata_buffer || seen->format.tag_mask)
        return nvme_queue_write_in_full;
    return NULL;
}

// The queues of a running controller are their owners', who may be using them.
static void add(struct nvme_ns *ns, void (*prepare)(struct nvme_queue *q))
{
    struct nvme_ctrl *c = ns->ctrl;
    if (!c->namespaces_end)
        c->namespaces_end = &c->namespaces;
    *c->namespaces_end = ns;
    c->namespaces_end = &ns->next;
    if (prepare && c->running)
        return join(ns, prepare);
    for (unsigned i = 0; prepare && i < c->queues_count; i++)
        prepare(c->queues[i]);
    make_known(ns);
}

// A way that leads nowhere is named: by another controller the disk may be there.
static bool is_reached(struct nvme_ctrl *c, const char *name, const struct seen *seen,
                       struct problem *p)
{
    enum nvme_ana_state state = nvme_way_state(c, &seen->identity);
    if (nvme_way_is_open(state))
        return true;
    return problem_set(p, "nvme-ana",
                       "%s: its access state here is \"%s\" (group %u): use another controller of "
                       "its subsystem",
                       name, nvme_ana_text(state), seen->identity.ana_group);
}

static bool parse(struct nvme_ctrl *c, const char *name, uint32_t nsid, struct seen *seen,
                  struct warnings *w, struct problem *p)
{
    if (!nvme_parse_format(name, seen->data, guards(c, nsid), c->id.max_transfer, &seen->format, w,
                           p))
        return false;
    if (!seen->format.blocks)
        return true;
    if (seen->format.extended && c->refuses_extended)
        return problem_set(p, "nvme-extended",
                           "%s: its format %u is an extended one, and its controller refuses to "
                           "enable these (LBAFEE): reformat it",
                           name, seen->format.index);
    if (!is_reached(c, name, seen, p) || !take_zones(c, name, nsid, seen, w, p))
        return false;
    take_limits(c, name, seen, w);
    return true;
}

#define NAME_BYTES sizeof(((struct block_dev *)0)->name)

static bool name_it(const struct nvme_ctrl *c, uint32_t nsid, char name[NAME_BYTES])
{
    if (format_text(name, NAME_BYTES, "%sn%u", c->name, nsid) < (int)NAME_BYTES)
        return true;
    warn("nvme-ns-number", "%s: namespace %u: its number is too long for a name: passed over",
         c->label, nsid);
    return false;
}

bool nvme_namespace_add(struct nvme_ctrl *c, uint32_t nsid, struct problem *p)
{
    static struct nvme_identify_namespace data; // too large for a stack
    struct seen seen = { .data = &data };
    struct warnings *w = c->warnings;
    char name[NAME_BYTES];

    if (!name_it(c, nsid, name))
        return true;
    if (!nvme_identify(c, NVME_CNS_NAMESPACE, nsid, "Identify Namespace", p))
        return false;
    memcpy(&data, c->page, sizeof(data));
    w->count = 0;
    if (!data.nsze)
        return true;
    if (!take_identity(c, name, nsid, &seen, w, p))
        return false;
    if (!parse(c, name, nsid, &seen, w, p)) {
        if (c->command.lost)
            return false;
        warn(p->what, "%s: passed over", p->message);
        return true;
    }
    warn_all(w);
    add(make(c, nsid, name, &seen), prepares(&seen));
    return true;
}

// ---- changes ----

static struct nvme_ns *find(const struct nvme_ctrl *c, uint32_t nsid)
{
    struct nvme_ns *ns = c->namespaces;
    while (ns && ns->dev.nsid != nsid)
        ns = ns->next;
    return ns;
}

// Requests that were prepared for it are good for it still, and mean the same blocks.
static bool is_as_before(const struct nvme_ns *ns, const struct nvme_identify_namespace *data)
{
    struct nvme_formatted now = formatted(data);
    return now.lbaf == ns->formatted.lbaf && now.flbas == ns->formatted.flbas &&
           now.dps == ns->formatted.dps && memcmp(data->nguid, ns->nguid, sizeof(ns->nguid)) == 0 &&
           memcmp(data->eui64, ns->eui64, sizeof(ns->eui64)) == 0;
}

static void warn_of_change(const struct nvme_ns *ns, uint64_t blocks)
{
    if (!blocks)
        warn("nvme-ns-gone",
             "%s: it is gone: it was detached, deleted, formatted anew or replaced by another",
             ns->dev.name);
    else if (blocks != ns->dev.blocks)
        warn("nvme-ns-resized", "%s: it has %llu blocks now, and had %llu", ns->dev.name,
             (unsigned long long)blocks, (unsigned long long)ns->dev.blocks);
}

static void lose(struct nvme_ns *ns)
{
    ns->known = false;
    block_remove(&ns->dev);
    nvme_ways_forget(ns);
}

static void drop(struct nvme_ns *ns)
{
    struct nvme_ctrl *c = ns->ctrl;
    struct nvme_ns **link = &c->namespaces;
    while (*link != ns)
        link = &(*link)->next;
    *link = ns->next;
    if (c->namespaces_end == &ns->next)
        c->namespaces_end = link;
    lose(ns);
}

// 0: it isn't there any more, or it is another one, and nobody knows what that holds.
static uint64_t blocks_now(const struct nvme_ns *ns, const struct nvme_identify_namespace *data)
{
    return is_as_before(ns, data) && data->nsze <= UINT64_MAX >> ns->block_shift ? data->nsze : 0;
}

// What was prepared for the old size goes to the controller, which knows the new one.
bool nvme_namespace_changed(struct nvme_ctrl *c, uint32_t nsid,
                            const struct nvme_identify_namespace *data)
{
    struct nvme_ns *ns = find(c, nsid);
    if (!ns)
        return !data->nsze;
    uint64_t blocks = blocks_now(ns, data);
    warn_of_change(ns, blocks);
    if (!blocks) {
        drop(ns);
        return !data->nsze;
    }
    __atomic_store_n(&ns->dev.blocks, blocks, __ATOMIC_RELAXED);
    if (ns->dev.gone)
        make_known(ns);
    return true;
}

void nvme_namespaces_lose(struct nvme_ctrl *c)
{
    for (struct nvme_ns *ns = c->namespaces; ns; ns = ns->next)
        lose(ns);
}
