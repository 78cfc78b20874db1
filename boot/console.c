// SPDX-License-Identifier: BSD-2-Clause
// Firmware's console and the serial ports.

#include "boot/console.h"

#include "boot/device_path.h"
#include "boot/serial.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/string.h"

#define LINE_BYTES 400
#define JSON_BYTES 2048 // a problem's message with every character escaped

static struct {
    EFI_SYSTEM_TABLE *system;
    bool firmware; // its console may be called
    struct console_choice choice;
    bool open[CONSOLE_PLACES]; // of the places for text: to be written directly
} console;

// UEFI 2.10, 3.3: the variable ConOut holds the device paths that the console goes to. What is too
// long to be read is taken for a console elsewhere: at worst a line appears twice.
static bool firmware_writes(const struct console_place *uart)
{
    static uint8_t paths[4096];
    EFI_GUID global = EFI_GLOBAL_VARIABLE;
    CHAR16 name[] = u"ConOut";
    UINTN bytes = sizeof(paths);
    if (!console.firmware ||
        EFI_ERROR(console.system->RuntimeServices->GetVariable(name, &global, NULL, &bytes, paths)))
        return false;
    for (unsigned i = 0; i < CONSOLE_COMS; i++)
        if (uart->kind == CONSOLE_IO && uart->address == console_com_ports[i])
            return device_path_names_com(paths, bytes, i);
    return false;
}

// Memory that firmware doesn't use for its own console need not be mapped, and PCI functions are the
// kernel's to look for.
static bool can_reach(const struct console_place *place)
{
    return place->kind == CONSOLE_IO || (place->kind == CONSOLE_MMIO && console.choice.has_spcr &&
                                         console_same(place, &console.choice.spcr));
}

static void open_text(void)
{
    for (uint32_t i = 0; i < console.choice.text.count; i++) {
        const struct console_place *place = &console.choice.text.at[i];
        if (!console.open[i])
            console.open[i] = can_reach(place) && !firmware_writes(place) && serial_open(place);
    }
}

static void settle(const struct console_choice *choice)
{
    unsigned coms = 0;
    for (unsigned i = 0; i < CONSOLE_COMS; i++) {
        struct console_place com = console_com(i, CONSOLE_BAUD_USUAL);
        coms |= serial_is_there(&com) ? BIT32(i) : 0;
    }
    console.choice = *choice;
    console_settle(&console.choice, coms);
}

// Which speed a UART is to have isn't known yet, so nothing is opened unless something has to be told.
void console_open(EFI_SYSTEM_TABLE *system)
{
    static const struct console_choice nothing_named;
    console.system = system;
    console.firmware = system->ConOut != NULL;
    settle(&nothing_named);
}

void console_choose(const struct console_choice *choice)
{
    settle(choice);
    open_text();
}

void console_leave_firmware(void)
{
    console.firmware = false;
    console.system = NULL;
    open_text();
}

bool console_is_alone(void)
{
    return console.system == NULL;
}

static void firmware_write(const char *text)
{
    CHAR16 wide[LINE_BYTES];
    size_t n = 0;
    while (text[n] && n + 1 < ARRAY_SIZE(wide)) {
        wide[n] = (uint8_t)text[n];
        n++;
    }
    wide[n] = 0;
    console.system->ConOut->OutputString(console.system->ConOut, wide);
}

static void write(const char *text)
{
    if (console.firmware)
        firmware_write(text);
    for (uint32_t i = 0; i < console.choice.text.count; i++)
        if (console.open[i])
            console.open[i] = serial_write(&console.choice.text.at[i], text);
}

void console_line(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    format_text_v(line, sizeof(line), fmt, args);
    va_end(args);
    write(line);
    write("\r\n");
}

void console_again(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    format_text_v(line, sizeof(line), fmt, args);
    va_end(args);
    write("\r");
    write(line);
}

static void write_json(const struct console_place *place, struct json *j)
{
    const char *text = json_end(j);
    if (text && serial_write(place, text))
        serial_write(place, "\n");
}

static void problem_to(const struct console_place *place, const struct problem *p)
{
    static char buffer[JSON_BYTES];
    struct json j;
    if (!can_reach(place) || !serial_open(place))
        return;
    json_begin(&j, buffer, sizeof(buffer), "error");
    json_text(&j, "what", p->what);
    json_text(&j, "message", p->message);
    write_json(place, &j);
    json_begin(&j, buffer, sizeof(buffer), "end");
    json_text(&j, "status", "failed");
    write_json(place, &j);
}

void console_problem(const struct problem *p)
{
    open_text();
    console_line("Onebell cannot start: %s [%s]", p->message, p->what);
    for (uint32_t i = 0; i < console.choice.json.count; i++)
        problem_to(&console.choice.json.at[i], p);
}
