// SPDX-License-Identifier: BSD-2-Clause
// Firmware's console and the serial ports.

#include "boot/console.h"

#include "boot/device_path.h"
#include "boot/serial.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/string.h"

#define LINE_BYTES 400
#define JSON_BYTES 2048 // a problem's message with every character escaped

static struct {
    EFI_SYSTEM_TABLE *system;
    bool firmware; // its console may be called
    bool com1;     // to be written directly
} console;

// UEFI 2.10, 3.3: the variable ConOut holds the device paths that the console goes to. What is too
// long to be read is taken for a console elsewhere: at worst a line appears twice.
static bool firmware_writes_com1(EFI_SYSTEM_TABLE *system)
{
    static uint8_t paths[4096];
    EFI_GUID global = EFI_GLOBAL_VARIABLE;
    CHAR16 name[] = u"ConOut";
    UINTN bytes = sizeof(paths);
    EFI_STATUS status = system->RuntimeServices->GetVariable(name, &global, NULL, &bytes, paths);
    return !EFI_ERROR(status) && device_path_names_com1(paths, bytes);
}

void console_open(EFI_SYSTEM_TABLE *system)
{
    console.system = system;
    console.firmware = system->ConOut != NULL;
    console.com1 = !(console.firmware && firmware_writes_com1(system)) && serial_open(SERIAL_COM1);
}

void console_leave_firmware(void)
{
    if (!console.com1)
        console.com1 = serial_open(SERIAL_COM1);
    console.firmware = false;
    console.system = NULL;
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
    if (console.com1)
        console.com1 = serial_write(SERIAL_COM1, text);
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

static void write_json(struct json *j)
{
    const char *text = json_end(j);
    if (text && serial_write(SERIAL_COM2, text))
        serial_write(SERIAL_COM2, "\n");
}

void console_problem(const struct problem *p)
{
    static char buffer[JSON_BYTES];
    struct json j;
    console_line("Onebell cannot start: %s [%s]", p->message, p->what);
    if (!serial_open(SERIAL_COM2))
        return;
    json_begin(&j, buffer, sizeof(buffer), "error");
    json_text(&j, "what", p->what);
    json_text(&j, "message", p->message);
    write_json(&j);
    json_begin(&j, buffer, sizeof(buffer), "end");
    json_text(&j, "status", "failed");
    write_json(&j);
}
