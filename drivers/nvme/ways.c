// SPDX-License-Identifier: BSD-2-Clause
// Tells disks that are reached by several controllers from several disks, and ways that are open from
// ways that are not (NVMe Base 2.0, 2.4.1, 8.1).

#include "drivers/nvme/ways.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/log.h"
#include "drivers/nvme/prp.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

// ---- one disk ----

static struct nvme_way way_of(const struct nvme_ns *ns)
{
    return (struct nvme_way){
        .subsystem = ns->ctrl->abilities.subsystem,
        .serial = ns->ctrl->id.serial,
        .controller = ns->ctrl->abilities.id,
        .nsid = ns->dev.nsid,
        .identity = &ns->identity,
    };
}

bool nvme_ways_other(const struct nvme_ns *a, const struct nvme_ns *b)
{
    struct nvme_way x = way_of(a), y = way_of(b);
    return a->ctrl != b->ctrl && nvme_is_same_disk(&x, &y);
}

// All ways name the first one.
void nvme_ways_find(struct nvme_ns *ns)
{
    for (struct block_dev *dev = block_first(); dev && dev != &ns->dev; dev = dev->next)
        if (dev->prepare == nvme_prepare && !dev->same_as && nvme_ways_other(dev->driver, ns)) {
            ns->dev.same_as = dev;
            return;
        }
}

static bool is_namesake(const struct nvme_ns *a, const struct nvme_ns *b)
{
    struct nvme_way x = way_of(a), y = way_of(b);
    return a->ctrl != b->ctrl && strcmp(x.serial, y.serial) == 0 && !nvme_is_same_subsystem(&x, &y);
}

void nvme_ways_doubt(struct nvme_ns *ns)
{
    const struct block_dev *other = NULL;
    for (struct block_dev *dev = block_first(); ns->dev.writable && dev; dev = dev->next)
        if (dev->prepare == nvme_prepare && is_namesake(dev->driver, ns)) {
            dev->writable = false;
            other = dev;
        }
    if (!other)
        return;
    ns->dev.writable = false;
    error("allow-write",
          "allow-write= names the serial number \"%s\", which %s and %s both have, though they are "
          "two disks: neither may be written to; take one of them out",
          ns->dev.serial, other->name, ns->dev.name);
}

void nvme_ways_forget(const struct nvme_ns *ns)
{
    struct block_dev *first = NULL;
    for (struct block_dev *dev = block_first(); dev; dev = dev->next) {
        if (dev->same_as != &ns->dev)
            continue;
        dev->same_as = first;
        first = first ? first : dev;
    }
}

// ---- the log page, whose pieces have whole groups ----

#define GROUPS_MOST 4096u // whatever the controller says
#define GROUPS_OF_PIECE ((NVME_PAGE - sizeof(struct nvme_ana_log)) / sizeof(struct nvme_ana_group))

static size_t log_bytes(unsigned groups)
{
    return sizeof(struct nvme_ana_log) + groups * sizeof(struct nvme_ana_group);
}

unsigned nvme_ways_pieces(const struct nvme_ctrl *c)
{
    return (unsigned)DIV_UP(c->ana_groups, GROUPS_OF_PIECE);
}

// The header is in the first one.
static size_t start_of(const struct nvme_ctrl *c, unsigned piece)
{
    return piece ? log_bytes(MIN(piece * (unsigned)GROUPS_OF_PIECE, c->ana_groups)) : 0;
}

static size_t length_of(const struct nvme_ctrl *c, unsigned piece)
{
    return start_of(c, piece + 1) - start_of(c, piece);
}

// Without the groups' namespaces. The event that tells of changes may come again as soon as the first
// piece is read, and not be cleared by the others.
struct nvme_sqe nvme_ways_ask(const struct nvme_ctrl *c, unsigned piece, const void *page)
{
    unsigned lid = NVME_LOG_ANA | (unsigned)field_put(NVME_LOG_LSP, NVME_LOG_ANA_GROUPS_ONLY);
    struct nvme_sqe sqe = nvme_log_command(c, lid, length_of(c, piece), page);
    if (!piece)
        sqe.cdw10 &= ~(uint32_t)NVME_LOG_RAE;
    sqe.cdw12 = (uint32_t)start_of(c, piece); // its lower half: there is no more
    return sqe;
}

static void take(struct nvme_ctrl *c, unsigned piece, const void *page)
{
    memcpy(c->ana_log + start_of(c, piece), page, length_of(c, piece));
}

static bool read_piece(struct nvme_ctrl *c, unsigned piece, struct problem *p)
{
    struct nvme_sqe sqe = nvme_ways_ask(c, piece, c->page);
    memset(c->page, 0, NVME_PAGE);
    if (!nvme_admin(c, &sqe, "Get Log Page, Asymmetric Namespace Access", NULL, p))
        return false;
    take(c, piece, c->page);
    return true;
}

// Controllers that know no offset have one piece.
static void make_log(struct nvme_ctrl *c)
{
    unsigned most = c->abilities.logs & NVME_LPA_EXTENDED ? GROUPS_MOST : (unsigned)GROUPS_OF_PIECE;
    c->ana_groups = MIN(c->abilities.ana_groups, most);
    c->ana_log = mem_alloc(log_bytes(c->ana_groups), NVME_PAGE, c->dev->node);
    if (c->ana_groups < c->abilities.ana_groups)
        warn("nvme-ana-groups",
             "%s: of its %u groups of access states only %u are read: namespaces of others are "
             "taken for reachable",
             c->label, c->abilities.ana_groups, c->ana_groups);
}

bool nvme_ways_read(struct nvme_ctrl *c, struct problem *p)
{
    if (!c->abilities.ana)
        return true;
    make_log(c);
    for (unsigned piece = 0; piece < nvme_ways_pieces(c); piece++) {
        if (read_piece(c, piece, p))
            continue;
        if (c->command.lost)
            return false;
        warn_problem(p);
        return true;
    }
    return true;
}

// ---- states ----

bool nvme_way_is_open(enum nvme_ana_state state)
{
    return state != NVME_ANA_INACCESSIBLE && state != NVME_ANA_LOST;
}

enum nvme_ana_state nvme_way_state(const struct nvme_ctrl *c, const struct nvme_identity *identity)
{
    enum nvme_ana_state state;
    if (!c->ana_log ||
        !nvme_parse_ana(c->ana_log, log_bytes(c->ana_groups), identity->ana_group, &state))
        return 0;
    return state;
}

static void tell(const struct nvme_ns *ns, enum nvme_ana_state before)
{
    if (nvme_way_is_open(ns->way) != nvme_way_is_open(before))
        warn("nvme-ana", "%s: its access state is \"%s\" now, and was \"%s\"%s", ns->dev.name,
             nvme_ana_text(ns->way), nvme_ana_text(before),
             nvme_way_is_open(ns->way) ? "" : ": it can't be reached here");
}

static void look_again(struct nvme_ctrl *c)
{
    for (struct nvme_ns *ns = c->namespaces; ns; ns = ns->next) {
        enum nvme_ana_state before = ns->way;
        ns->way = nvme_way_state(c, &ns->identity);
        if (before && ns->way)
            tell(ns, before);
    }
}

void nvme_ways_take(struct nvme_ctrl *c, unsigned piece, const void *page)
{
    take(c, piece, page);
    if (piece + 1 == nvme_ways_pieces(c))
        look_again(c);
}
