// SPDX-License-Identifier: BSD-2-Clause
// Each event names a log page; reading it lets the controller tell of the next event of its type
// (5.2.1). One page is read at a time, without waiting.

#include "drivers/nvme/events.h"

#include "drivers/nvme/prp.h"
#include "drivers/nvme/setup.h"
#include "drivers/nvme/shadow.h"
#include "drivers/nvme/ways.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define LISTENERS 4u
#define SMART_WARNINGS                                                                             \
    (NVME_SMART_SPARE | NVME_SMART_TEMPERATURE | NVME_SMART_DEGRADED | NVME_SMART_READ_ONLY |      \
     NVME_SMART_BACKUP)

struct listener {
    struct nvme_events *events;
    struct nvme_admin_command command;
};

struct nvme_events {
    struct nvme_ctrl *ctrl;
    struct listener listeners[LISTENERS];
    unsigned listening;
    unsigned count;                 // that came
    uint32_t pages;                 // to be read: a bit for each log page
    bool reading;                   // one of them, or a namespace
    struct nvme_admin_command read; // that command
    unsigned lid;                   // of the page,
    unsigned piece;                 // and which piece of it is next; 0: none
    void *page;
    uint32_t *changed; // namespaces, ended by 0, the rest of which are yet to be read
    bool is_new;       // the first of them is
    bool returned;     // the controller: all its namespaces are to be looked at
    uint8_t warnings;  // of SMART, that were told
    struct nvme_host_behavior *behavior;
};

static void read_next(struct nvme_events *e);

// ---- what changed ----

static void look_at_health(struct nvme_events *e)
{
    static const struct {
        uint8_t bit;
        const char *words;
    } warnings[] = {
        { NVME_SMART_SPARE, "spare blocks run short" },
        { NVME_SMART_TEMPERATURE, "the temperature is past a threshold" },
        { NVME_SMART_DEGRADED, "its reliability is degraded by errors" },
        { NVME_SMART_READ_ONLY, "it takes no more writes" },
        { NVME_SMART_BACKUP, "the backup of its volatile memory failed" },
    };
    const struct nvme_smart_log *log = e->page;
    uint8_t added = log->critical_warning & (uint8_t)~e->warnings;
    for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
        if (added & warnings[i].bit)
            warn("nvme-health", "%s: its SMART log warns: %s (%u C)", e->ctrl->label,
                 warnings[i].words, log->temperature > 273 ? log->temperature - 273u : 0);
    e->warnings = log->critical_warning;
}

static bool send_read(struct nvme_events *e, struct nvme_sqe *sqe)
{
    sqe->prp1 = mem_phys(e->page);
    memset(e->page, 0, NVME_PAGE);
    return nvme_admin_send(e->ctrl, sqe, &e->read);
}

// False: there is none left.
static bool read_namespace(struct nvme_events *e)
{
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_IDENTIFY | field_put(NVME_SQE_NSID, *e->changed),
        .cdw10 = NVME_CNS_NAMESPACE,
    };
    return *e->changed && *e->changed <= NVME_NSID_LAST && send_read(e, &sqe);
}

static void namespace_read(struct nvme_events *e)
{
    e->is_new = !e->read.status && !nvme_namespace_changed(e->ctrl, *e->changed, e->page);
    if (!e->is_new)
        e->changed++;
}

// The page has 1024 entries, as many as fit; a 0 ends a copy that is one longer.
static void start_namespaces(struct nvme_events *e)
{
    uint32_t *list = (uint32_t *)e->page + NVME_NSID_LIST_ENTRIES; // the next page
    memcpy(list, e->page, NVME_PAGE);
    e->changed = list;
}

// ---- log pages ----

static bool is_in_pieces(const struct nvme_events *e)
{
    return e->lid == NVME_LOG_ANA && nvme_ways_pieces(e->ctrl);
}

static bool read_piece(struct nvme_events *e)
{
    struct nvme_sqe sqe = nvme_ways_ask(e->ctrl, e->piece, e->page);
    return send_read(e, &sqe);
}

static void piece_read(struct nvme_events *e)
{
    nvme_ways_take(e->ctrl, e->piece, e->page);
    e->piece = e->piece + 1 < nvme_ways_pieces(e->ctrl) ? e->piece + 1 : 0;
}

static void page_read(struct nvme_events *e)
{
    if (e->read.status) {
        e->piece = 0;
        return;
    }
    if (e->lid == NVME_LOG_SMART)
        look_at_health(e);
    else if (e->lid == NVME_LOG_CHANGED_NAMESPACES)
        start_namespaces(e);
    else if (is_in_pieces(e))
        piece_read(e);
}

static void go_on(struct nvme_events *e)
{
    if ((e->changed && read_namespace(e)) || (e->piece && read_piece(e)))
        return;
    e->changed = NULL;
    e->piece = 0;
    e->reading = false;
    read_next(e);
}

static void was_read(struct nvme_admin_command *command)
{
    struct nvme_events *e = container_of(command, struct nvme_events, read);
    if (e->changed)
        namespace_read(e);
    else
        page_read(e);
    if (!e->is_new)
        go_on(e);
}

// Waits for its commands, which must not be from within an answer to another.
static void add_namespace(struct nvme_events *e)
{
    struct problem p;
    uint32_t nsid = *e->changed++;
    e->is_new = false;
    if (nvme_namespace_add(e->ctrl, nsid, &p))
        info("%sn%u: it was attached", e->ctrl->name, nsid);
    else
        warn_problem(&p);
    go_on(e);
}

void nvme_events_poll(struct nvme_ctrl *c)
{
    nvme_admin_poll(c);
    while (c->events->is_new)
        add_namespace(c->events);
}

static size_t page_bytes(unsigned lid)
{
    switch (lid) {
    case NVME_LOG_CHANGED_NAMESPACES:
        return NVME_PAGE;
    case NVME_LOG_ERROR:
        return sizeof(struct nvme_error_entry);
    default:
        return 512;
    }
}

// As if all had changed.
static void look_at_all(struct nvme_events *e)
{
    uint32_t *list = (uint32_t *)e->page + NVME_NSID_LIST_ENTRIES, count = 0;
    for (const struct nvme_ns *ns = e->ctrl->namespaces; ns; ns = ns->next)
        if (count < NVME_NSID_LIST_ENTRIES)
            list[count++] = ns->dev.nsid;
    list[count] = 0;
    e->changed = list;
    e->returned = false;
    e->reading = read_namespace(e);
}

static void read_next(struct nvme_events *e)
{
    if (e->returned && !e->reading)
        look_at_all(e);
    if (e->reading || !e->pages)
        return;
    e->lid = (unsigned)__builtin_ctz(e->pages);
    e->pages &= e->pages - 1;
    struct nvme_sqe sqe = {
        .head = NVME_ADMIN_GET_LOG_PAGE | field_put(NVME_SQE_NSID, ~0u),
        .cdw10 = (uint32_t)(e->lid | field_put(NVME_LOG_NUMDL, page_bytes(e->lid) / 4 - 1)),
    };
    e->reading = is_in_pieces(e) ? read_piece(e) : send_read(e, &sqe);
}

// ---- listening ----

static void tell(const struct nvme_events *e, uint32_t event)
{
    if (field_get(NVME_EVENT_TYPE, event) == NVME_EVENT_NOTICE &&
        field_get(NVME_EVENT_INFO, event) == NVME_NOTICE_FIRMWARE)
        warn("nvme-firmware",
             "%s: new firmware is being activated: commands wait for up to %llu ms", e->ctrl->label,
             (unsigned long long)e->ctrl->abilities.pause_ms);
    if (field_get(NVME_EVENT_TYPE, event) == NVME_EVENT_ERROR)
        warn("nvme-event", "%s: it reports an error of its own (event %02llxh)", e->ctrl->label,
             (unsigned long long)field_get(NVME_EVENT_INFO, event));
}

static void listen(struct listener *l)
{
    struct nvme_sqe sqe = { .head = NVME_ADMIN_ASYNC_EVENT };
    if (nvme_admin_send(l->events->ctrl, &sqe, &l->command))
        l->events->listening++;
}

// One that fails is not sent again: the controller doesn't want as many.
static void heard(struct nvme_admin_command *command)
{
    struct listener *l = container_of(command, struct listener, command);
    struct nvme_events *e = l->events;
    unsigned lid = (unsigned)field_get(NVME_EVENT_LID, command->result);

    e->listening--;
    if (command->status)
        return;
    e->count++;
    tell(e, command->result);
    if ((lid >= NVME_LOG_ERROR && lid <= NVME_LOG_CHANGED_NAMESPACES) || lid == NVME_LOG_ANA)
        e->pages |= BIT32(lid);
    listen(l);
    read_next(e);
}

// A controller that was gone and has returned.
static bool has_lost_some(const struct nvme_ctrl *c)
{
    const struct nvme_ns *ns = c->namespaces;
    while (ns && !ns->dev.gone)
        ns = ns->next;
    return ns;
}

void nvme_events_listen(struct nvme_ctrl *c)
{
    struct nvme_events *e = c->events;
    e->listening = 0;
    e->reading = e->is_new = false;
    e->changed = NULL;
    e->piece = 0;
    e->returned = has_lost_some(c);
    for (unsigned i = 0; i < MIN(LISTENERS, c->abilities.event_most); i++)
        listen(&e->listeners[i]);
    read_next(e);
}

uint64_t nvme_events_wait_ns(const struct nvme_ctrl *c)
{
    if (c->events->reading)
        return NS_PER_MS;
    return c->events->listening ? NS_PER_S : 0;
}

unsigned nvme_events_count(const struct nvme_ctrl *c)
{
    return c->events ? c->events->count : 0;
}

// ---- choices ----

enum choice { EVENTS, BEHAVIOR, COALESCING, SHADOWS, CHOICES };

static struct {
    unsigned count; // 0: not at all
    uint64_t us;
} coalescing;

void nvme_set_coalescing(unsigned count, uint64_t us)
{
    coalescing.count = count;
    coalescing.us = us;
}

static bool names_delays(const struct nvme_ctrl *c)
{
    const uint64_t *ms = c->abilities.retry_ms;
    return ms[1] || ms[2] || ms[3];
}

static bool is_offered(const struct nvme_ctrl *c, enum choice choice)
{
    switch (choice) {
    case EVENTS:
        return true;
    case BEHAVIOR:
        return names_delays(c) || c->abilities.extended_formats;
    case COALESCING:
        return coalescing.count;
    default:
        return nvme_shadow_offered(c);
    }
}

unsigned nvme_choices(const struct nvme_ctrl *c)
{
    unsigned count = 0;
    for (enum choice choice = 0; choice < CHOICES; choice++)
        count += is_offered(c, choice);
    return count;
}

static enum choice nth(const struct nvme_ctrl *c, unsigned i)
{
    enum choice choice = 0;
    while (!is_offered(c, choice) || i--)
        choice++;
    return choice;
}

// 5.27.1.6: so many, 0-based, or so many 100 us after the first, whichever comes first.
static uint32_t coalescing_value(void)
{
    uint64_t units = MIN(DIV_UP(coalescing.us, 100), 255ull);
    return (uint32_t)(field_put(NVME_COALESCING_THR, MIN(coalescing.count, 256u) - 1) |
                      field_put(NVME_COALESCING_TIME, units));
}

struct nvme_sqe nvme_choice(struct nvme_ctrl *c, unsigned i)
{
    struct nvme_sqe sqe = { .head = NVME_ADMIN_SET_FEATURES };
    switch (nth(c, i)) {
    case EVENTS:
        sqe.cdw10 = NVME_FEATURE_EVENTS;
        sqe.cdw11 = SMART_WARNINGS | c->abilities.events;
        return sqe;
    case BEHAVIOR:
        sqe.cdw10 = NVME_FEATURE_HOST_BEHAVIOR;
        sqe.prp1 = mem_phys(c->events->behavior);
        return sqe;
    case COALESCING:
        sqe.cdw10 = NVME_FEATURE_COALESCING;
        sqe.cdw11 = coalescing_value();
        return sqe;
    default:
        return nvme_shadow_choice(c);
    }
}

void nvme_choice_answered(struct nvme_ctrl *c, unsigned i, bool taken)
{
    enum choice choice = nth(c, i);
    if (choice == SHADOWS)
        nvme_shadow_answered(c, taken);
    if (choice == BEHAVIOR)
        c->refuses_extended = !taken;
    if (choice == COALESCING && !taken)
        warn("nvme-coalescing", "%s: it refuses nvme.coalesce=%u: an interrupt for each completion",
             c->label, coalescing.count);
}

static struct nvme_events *make(struct nvme_ctrl *c)
{
    struct nvme_events *e = mem_alloc(sizeof(*e), CACHE_LINE, c->dev->node);
    e->ctrl = c;
    e->read.done = was_read;
    e->page = mem_alloc_dma(3 * NVME_PAGE, NVME_PAGE, c->dev->node);
    e->behavior = mem_alloc_dma(sizeof(*e->behavior), NVME_PAGE, c->dev->node);
    e->behavior->acre = names_delays(c);
    e->behavior->lbafee = c->abilities.extended_formats;
    for (unsigned i = 0; i < LISTENERS; i++) {
        e->listeners[i].events = e;
        e->listeners[i].command.done = heard;
        e->listeners[i].command.patient = true;
    }
    return e;
}

// A controller that refuses has nothing to tell.
void nvme_events_start(struct nvme_ctrl *c)
{
    struct problem p;
    c->events = make(c);
    for (unsigned i = 0; i < nvme_choices(c); i++) {
        struct nvme_sqe sqe = nvme_choice(c, i);
        nvme_choice_answered(c, i, nvme_admin(c, &sqe, "Set Features", NULL, &p));
    }
    if (!c->command.lost)
        nvme_events_listen(c);
}
