// SPDX-License-Identifier: BSD-2-Clause
// UARTs, their rings, and what goes to them.

#include "kernel/base/console.h"

#include "kernel/base/input.h"
#include "kernel/base/uart.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/line_ring.h"
#include "lib/string.h"

#define PORTS 4
#define RING_BYTES (64 * KIB)
#define BEHIND_BYTES (8 * KIB)
#define JSON_SHARE 4        // of a shared ring: that part is JSON's alone
#define LOOKS_LEAST 250000u // a quarter of a second, as a look takes about a microsecond
#define LOOKS_PIECES 4u
#define QUIET_MOST_NS (10 * NS_PER_S)

enum port_state { PORT_WAITS, PORT_OPEN, PORT_GONE };

struct port {
    struct console_place place;
    struct uart uart;
    struct line_ring ring;
    enum port_state state;
    bool has[CONSOLE_STREAMS];
    uint32_t lost[CONSOLE_STREAMS]; // lines, that nobody was told of
    const char *fault;              // why it was given up, if nobody was told yet
    uint32_t looks;                 // since it last took something
    uint32_t noted;                 // where its ring ended then: console_note()
    uint64_t quiet_ns;              // since when it takes nothing; 0: it does
};

static struct {
    struct console_choice choice;
    struct port ports[PORTS];
    unsigned count;
    bool screen[CONSOLE_STREAMS];
} console;

static char ring_bytes[PORTS][RING_BYTES];

static const char not_there[] = "no UART answers there";
static const char not_ready[] = "its transmitter doesn't get ready";

static struct port *port_end(void)
{
    return console.ports + console.count;
}

// ---- setting up ----

static void make_uart(struct port *p, uint16_t port, volatile void *base)
{
    p->uart = (struct uart){
        .port = port, .base = base, .stride = p->place.stride, .width = p->place.width
    };
}

static bool try_open(struct port *p)
{
    bool ok = uart_is_there(&p->uart) && uart_open(&p->uart, &p->place);
    if (ok)
        p->state = PORT_OPEN;
    return ok;
}

static struct port *find_port(const struct console_place *place)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        if (console_same(&p->place, place))
            return p;
    return NULL;
}

static struct port *add_port(const struct console_place *place)
{
    struct port *p = find_port(place);
    if (p || console.count == PORTS)
        return p;
    p = port_end();
    *p = (struct port){ .place = *place,
                        .ring = { .bytes = ring_bytes[console.count], .size = RING_BYTES } };
    console.count++;
    return p;
}

static void add_places(const struct console_places *places, enum console_stream stream)
{
    for (uint32_t i = 0; i < places->count; i++) {
        bool screen = places->at[i].kind == CONSOLE_SCREEN;
        struct port *p = screen ? NULL : add_port(&places->at[i]);
        console.screen[stream] |= screen;
        if (p)
            p->has[stream] = true;
    }
}

static unsigned find_coms(void)
{
    unsigned coms = 0;
    for (unsigned i = 0; i < CONSOLE_COMS; i++) {
        struct uart u = { .port = console_com_ports[i] };
        coms |= uart_is_there(&u) ? BIT32(i) : 0;
    }
    return coms;
}

// A COM port that nothing goes to yet, and that works; NULL: there is none.
static struct port *add_com(void)
{
    unsigned coms = find_coms();
    for (unsigned i = 0; i < CONSOLE_COMS; i++) {
        struct console_place com = console_com(i, CONSOLE_BAUD_USUAL);
        struct port *p = coms & BIT32(i) && !find_port(&com) ? add_port(&com) : NULL;
        if (!p)
            continue;
        make_uart(p, console_com_ports[i], NULL);
        if (try_open(p))
            return p;
        p->state = PORT_GONE;
    }
    return NULL;
}

static struct port *find_open(void)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        if (p->state == PORT_OPEN)
            return p;
    return NULL;
}

// What was kept for a place that isn't there goes elsewhere.
static void redirect(struct port *p)
{
    p->state = PORT_GONE;
    struct port *other = add_com();
    other = other ? other : find_open();
    if (!other)
        return;
    for (unsigned i = 0; i < CONSOLE_STREAMS; i++)
        other->has[i] |= p->has[i];
    while (line_ring_used(&p->ring)) {
        char byte = line_ring_take(&p->ring);
        (void)line_ring_put(&other->ring, &byte, 1, false, 0); // both are of one size
    }
}

static bool is_spcr(const struct port *p)
{
    return console.choice.has_spcr && console_same(&p->place, &console.choice.spcr);
}

// By the command line, or by firmware.
static bool is_named(const struct port *p)
{
    return is_spcr(p) || (p->has[CONSOLE_TEXT] && console.choice.text.named) ||
           (p->has[CONSOLE_JSON] && console.choice.json.named);
}

static int poll_input(void)
{
    for (struct port *p = console.ports; p < port_end(); p++) {
        int byte = p->state == PORT_OPEN && p->has[CONSOLE_TEXT] ? uart_get(&p->uart) : -1;
        if (byte >= 0)
            return byte;
    }
    return -1;
}

// What nobody named may well be missing, but one that is there should work.
static void open_io(struct port *p)
{
    make_uart(p, (uint16_t)p->place.address, NULL);
    if (try_open(p))
        return;
    if (uart_is_there(&p->uart))
        p->fault = not_ready;
    else if (is_named(p))
        p->fault = not_there;
    redirect(p);
}

void console_init(const struct console_choice *choice)
{
    static struct input_source input = { .poll = poll_input };
    console.choice = *choice;
    console_settle(&console.choice, find_coms());
    add_places(&console.choice.text, CONSOLE_TEXT);
    add_places(&console.choice.json, CONSOLE_JSON);
    unsigned named = console.count;
    for (unsigned i = 0; i < named; i++)
        if (console.ports[i].place.kind == CONSOLE_IO && console.ports[i].state == PORT_WAITS)
            open_io(&console.ports[i]);
    input_add(&input);
}

const struct console_place *console_waiting(enum console_kind kind, unsigned *index)
{
    for (; *index < console.count; ++*index) {
        const struct port *p = &console.ports[*index];
        if (p->place.kind == kind && p->state == PORT_WAITS)
            return &p->place;
    }
    return NULL;
}

void console_found(unsigned index, uint16_t port, volatile void *base)
{
    struct port *p = &console.ports[index];
    make_uart(p, port, base);
    if (try_open(p))
        return;
    console_not_found(index, uart_is_there(&p->uart) ? not_ready : not_there);
}

void console_not_found(unsigned index, const char *fault)
{
    console.ports[index].fault = fault;
    redirect(&console.ports[index]);
}

void console_stop_waiting(void)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        if (p->state == PORT_WAITS)
            redirect(p);
}

// ---- lines in ----

static uint32_t spare(const struct port *p, enum console_stream stream)
{
    return stream == CONSOLE_TEXT && p->has[CONSOLE_JSON] ? RING_BYTES / JSON_SHARE : 0;
}

static bool takes(const struct port *p, enum console_stream stream)
{
    return p->has[stream] && p->state != PORT_GONE;
}

// A line for people ends in CR LF, for terminals; one of JSON in LF.
bool console_has_room(enum console_stream stream, const char *bytes, size_t count)
{
    size_t most = 2 * count; // if each were a '\n'
    for (const struct port *p = console.ports; p < port_end(); p++)
        if (takes(p, stream) && p->state == PORT_OPEN &&
            line_ring_used(&p->ring) + most + spare(p, stream) > RING_BYTES)
            return false;
    return true;
}

void console_put(enum console_stream stream, const char *bytes, size_t count)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        if (takes(p, stream) &&
            !line_ring_put(&p->ring, bytes, count, stream == CONSOLE_TEXT, spare(p, stream)))
            p->lost[stream]++;
}

bool console_on_screen(enum console_stream stream)
{
    return console.screen[stream];
}

bool console_is_shared(void)
{
    for (const struct port *p = console.ports; p < port_end(); p++)
        if (takes(p, CONSOLE_TEXT) && takes(p, CONSOLE_JSON))
            return true;
    return console.screen[CONSOLE_TEXT] && console.screen[CONSOLE_JSON];
}

// ---- bytes out ----

static bool has_more(const struct port *p)
{
    return p->state == PORT_OPEN && line_ring_used(&p->ring);
}

// More where a slow line needs more for what it has.
static bool hangs(const struct port *p)
{
    return p->looks > LOOKS_LEAST + LOOKS_PIECES * p->uart.piece_us;
}

static void give_up(struct port *p)
{
    p->state = PORT_GONE;
    p->fault = not_ready;
}

// False: the UART takes nothing now.
static bool push(struct port *p)
{
    unsigned room = uart_room(&p->uart);
    for (unsigned i = 0; i < room && line_ring_used(&p->ring); i++)
        uart_put(&p->uart, line_ring_take(&p->ring));
    return room;
}

bool console_push(void)
{
    bool more = false;
    for (struct port *p = console.ports; p < port_end(); p++) {
        if (has_more(p))
            p->looks = push(p) ? 0 : p->looks + 1;
        if (p->state == PORT_OPEN && hangs(p))
            give_up(p);
        more |= has_more(p);
    }
    return more;
}

void console_note(void)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        p->noted = p->ring.tail + line_ring_used(&p->ring);
}

bool console_push_noted(void)
{
    bool more = false;
    console_push();
    for (const struct port *p = console.ports; p < port_end(); p++)
        more |= has_more(p) && (int32_t)(p->noted - p->ring.tail) > 0;
    return more;
}

bool console_is_behind(void)
{
    for (const struct port *p = console.ports; p < port_end(); p++)
        if (p->state == PORT_OPEN && line_ring_used(&p->ring) > BEHIND_BYTES)
            return true;
    return false;
}

static void push_timed(struct port *p, uint64_t now_ns)
{
    if (push(p))
        p->quiet_ns = 0;
    else if (!p->quiet_ns)
        p->quiet_ns = now_ns;
    else if (now_ns - p->quiet_ns > QUIET_MOST_NS)
        give_up(p);
}

bool console_push_timed(uint64_t now_ns)
{
    bool more = false;
    for (struct port *p = console.ports; p < port_end(); p++) {
        if (has_more(p))
            push_timed(p, now_ns);
        more |= has_more(p);
    }
    return more;
}

uint32_t console_pace_us(void)
{
    uint32_t pace = UINT32_MAX;
    for (const struct port *p = console.ports; p < port_end(); p++)
        if (has_more(p))
            pace = MIN(pace, p->uart.piece_us);
    return pace;
}

// ---- what is told ----

static bool tell_fault(struct port *p, struct problem *out)
{
    char name[CONSOLE_NAME_BYTES];
    if (!p->fault)
        return false;
    problem_set(out, "console-port",
                "nothing is sent to %s: %s; see what it is connected to, or name another port by "
                "console= or "
                "json=",
                console_name(&p->place, name), p->fault);
    p->fault = NULL;
    return true;
}

// Once there is room again, else this would be lost as well.
static bool tell_lost(struct port *p, struct problem *out)
{
    char name[CONSOLE_NAME_BYTES];
    uint32_t text = p->lost[CONSOLE_TEXT], json = p->lost[CONSOLE_JSON];
    if (!(text | json) || (p->state == PORT_OPEN && line_ring_used(&p->ring) > RING_BYTES / 2))
        return false;
    p->lost[CONSOLE_TEXT] = p->lost[CONSOLE_JSON] = 0;
    problem_set(
        out, "console-lost",
        "%s is too slow for what was printed: %u lines for people and %u of JSON are missing there",
        console_name(&p->place, name), text, json);
    return true;
}

bool console_trouble(struct problem *out)
{
    for (struct port *p = console.ports; p < port_end(); p++)
        if (tell_fault(p, out) || tell_lost(p, out))
            return true;
    return false;
}

const char *console_list(enum console_stream stream, char to[CONSOLE_LIST_BYTES])
{
    char name[CONSOLE_NAME_BYTES];
    size_t used = 0;
    to[0] = 0;
    for (const struct port *p = console.ports; p < port_end(); p++)
        if (takes(p, stream))
            used += (size_t)format_text(to + used, CONSOLE_LIST_BYTES - used, "%s%s%s",
                                        used ? ", " : "", console_name(&p->place, name),
                                        is_spcr(p) ? " (SPCR)" : "");
    if (console.screen[stream])
        used +=
            (size_t)format_text(to + used, CONSOLE_LIST_BYTES - used, "%sscreen", used ? ", " : "");
    return used ? to : "nowhere";
}
