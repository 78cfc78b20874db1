// SPDX-License-Identifier: BSD-2-Clause
// Nothing of what a program says is taken as it is: no byte that a terminal obeys, no line that looks like
// the kernel's, no JSON object that tools take for the kernel's.

#include "kernel/domain/voice.h"

#include "kernel/base/report.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/json_check.h"
#include "lib/string.h"

#define ID_BYTES 32
#define MESSAGE_BYTES 480 // of a warning or an error: as long as the kernel's own may be

// What the run, the machine and the kernel's own rooms tell of. What an app sends is free: `job`, and its `cpu` and
// `irq`.
static const char *const kernels_types[] = {
    "dma",
    "domain",
    "dsa",
    "end",
    "error",
    "fault",
    "machine",
    "machine_check",
    "nvme",
    "platform",
    "platform_check",
    "platform_hsti",
    "platform_summary",
    "platform_unit",
    "recovery",
    "stack",
    "trace",
    "vmd",
    "vtd_unit",
    "warning",
};

// ---- the budget ----

void domain_voice_begin(struct domain_voice *v, uint64_t now_ns)
{
    *v = (struct domain_voice){ .left = DOMAIN_VOICE_BURST, .at_ns = now_ns };
}

// What a pause of any length brings; the part of a byte is left for the next time.
static void refill(struct domain_voice *v, uint64_t now_ns)
{
    const uint64_t most_ns = DOMAIN_VOICE_BURST / DOMAIN_VOICE_RATE * NS_PER_S;
    uint64_t ns = now_ns > v->at_ns ? now_ns - v->at_ns : 0;
    uint64_t bytes = MIN(ns, most_ns) * DOMAIN_VOICE_RATE / NS_PER_S;
    if (!bytes)
        return;
    v->left = MIN(v->left + bytes, DOMAIN_VOICE_BURST);
    v->at_ns = ns > most_ns ? now_ns : v->at_ns + bytes * NS_PER_S / DOMAIN_VOICE_RATE;
}

bool domain_voice_may(struct domain_voice *v, size_t bytes, uint64_t now_ns)
{
    uint64_t cost = bytes + DOMAIN_VOICE_LINE;
    if (report_is_behind())
        return false;
    spinlock_lock(&v->lock);
    refill(v, now_ns);
    bool may = v->left >= cost;
    if (may)
        v->left -= cost;
    spinlock_unlock(&v->lock);
    return may;
}

// ---- lines ----

static void make_printable(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
    text[bytes] = 0;
}

// "id sentence" -> where the sentence begins; NULL: there is no such id.
static char *split(char *text)
{
    char *blank = strchr(text, ' ');
    if (!blank || blank == text || blank - text > ID_BYTES)
        return NULL;
    *blank = 0;
    return blank + 1;
}

static bool say_line(const char *name, enum domain_text kind, char *text, size_t bytes,
                     struct problem *p)
{
    make_printable(text, bytes);
    if (kind == DOMAIN_TEXT_INFO) {
        info("[%s] %s", name, text);
        return true;
    }
    char *message = split(text);
    if (!message)
        return problem_set(p, "domain-call", "PRINT of a warning or an error without an id");
    if (bytes > (size_t)(message - text) + MESSAGE_BYTES)
        message[MESSAGE_BYTES] = 0;
    if (kind == DOMAIN_TEXT_WARN)
        warn_by(name, text, message);
    else
        error_by(name, text, message);
    return true;
}

// ---- JSON ----

static bool is_kernels(const char *type, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(kernels_types); i++)
        if (strlen(kernels_types[i]) == length && memcmp(kernels_types[i], type, length) == 0)
            return true;
    return false;
}

// Behind the type: `,"domain":"NAME"`. The writer closes the object, which so loses its last byte.
static bool say_json(const char *name, char *text, size_t bytes, struct problem *p)
{
    char member[DOMAIN_VOICE_BYTES];
    const char *type;
    size_t length;
    if (!json_check(text, bytes, "domain", &type, &length))
        return problem_set(p, "domain-call", "PRINT of JSON that isn't an object with a type");
    if (is_kernels(type, length))
        return problem_set(p, "domain-call",
                           "PRINT of JSON of type \"%.*s\", which is the kernel's", (int)length,
                           type);
    size_t put = (size_t)format_text(member, sizeof(member), ",\"domain\":\"%s\"", name);
    size_t head = (size_t)(type - text) + length + 1;
    memmove(text + head + put, text + head, bytes - head);
    memcpy(text + head, member, put);
    struct json j = { .buffer = text,
                      .bytes = bytes + DOMAIN_VOICE_BYTES,
                      .used = bytes + put - 1 };
    report_json_of_domain(&j);
    return true;
}

bool domain_say(const char *name, enum domain_text kind, char *text, size_t bytes,
                struct problem *p)
{
    return kind == DOMAIN_TEXT_JSON ? say_json(name, text, bytes, p)
                                    : say_line(name, kind, text, bytes, p);
}
