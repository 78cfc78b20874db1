// SPDX-License-Identifier: BSD-2-Clause
// printf's formatting, as in C11 7.21.6.1 for the conversions that lib/format.h names.
#include "lib/format.h"

#include "lib/string.h"

struct output {
    char *to;
    size_t bytes;
    size_t length; // of the whole text, cut off or not
};

struct spec {
    bool left, zero, plus;
    int width;
    int precision; // < 0: none given
    int size;      // bytes of the integer argument: 1, 2, 4, 8
    char conversion;
};

static void put(struct output *o, char c)
{
    if (o->length + 1 < o->bytes)
        o->to[o->length] = c;
    o->length++;
}

static void put_many(struct output *o, char c, int count)
{
    while (count-- > 0)
        put(o, c);
}

static void put_padded(struct output *o, const struct spec *s, const char *text, size_t length)
{
    int pad = s->width - (int)length;
    if (!s->left)
        put_many(o, ' ', pad);
    for (size_t i = 0; i < length; i++)
        put(o, text[i]);
    if (s->left)
        put_many(o, ' ', pad);
}

// Digits of value, without leading zeros (none at all for 0), into the end of a 20-byte buffer.
static int digits(char buffer[20], uint64_t value, unsigned base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int at = 20;
    for (; value; value /= base)
        buffer[--at] = set[value % base];
    return at;
}

static void put_integer(struct output *o, struct spec *s, uint64_t value, const char *prefix,
                        unsigned base)
{
    char buffer[20];
    int at = digits(buffer, value, base, s->conversion == 'X');
    int length = 20 - at, before = (int)strlen(prefix);
    int zeros = (s->precision < 0 ? 1 : s->precision) - length;
    if (s->zero && !s->left && s->precision < 0)
        zeros = s->width - before - length > zeros ? s->width - before - length : zeros;
    if (zeros < 0)
        zeros = 0;
    int pad = s->width - before - zeros - length;
    if (!s->left)
        put_many(o, ' ', pad);
    while (*prefix)
        put(o, *prefix++);
    put_many(o, '0', zeros);
    while (at < 20)
        put(o, buffer[at++]);
    if (s->left)
        put_many(o, ' ', pad);
}

static void put_signed(struct output *o, struct spec *s, int64_t value)
{
    if (s->size == 1)
        value = (int8_t)value;
    else if (s->size == 2)
        value = (int16_t)value;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    put_integer(o, s, magnitude, value < 0 ? "-" : s->plus ? "+" : "", 10);
}

static void put_unsigned(struct output *o, struct spec *s, uint64_t value)
{
    if (s->size < 8)
        value &= (1ull << s->size * 8) - 1;
    put_integer(o, s, value, "", s->conversion == 'u' ? 10 : 16);
}

static void put_string(struct output *o, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    put_padded(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static int read_decimal(const char **at)
{
    int n = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        n = n * 10 + (**at - '0');
    return n;
}

static const char *read_flags(const char *at, struct spec *s)
{
    for (;; at++) {
        if (*at == '-')
            s->left = true;
        else if (*at == '0')
            s->zero = true;
        else if (*at == '+')
            s->plus = true;
        else
            return at;
    }
}

static const char *read_length(const char *at, struct spec *s)
{
    s->size = 4;
    if (*at == 'h')
        s->size = *++at == 'h' ? at++, 1 : 2;
    else if (*at == 'z')
        s->size = 8, at++;
    else if (*at == 'l')
        s->size = 8, at += at[1] == 'l' ? 2 : 1;
    return at;
}

// Reads what stands between % and the end of the conversion. A va_list inside a structure can be
// passed on by address on every ABI.
struct arguments {
    va_list list;
};

static const char *read_spec(const char *at, struct spec *s, struct arguments *args)
{
    *s = (struct spec){ .precision = -1 };
    at = read_flags(at, s);
    if (*at == '*') {
        s->width = va_arg(args->list, int);
        if (s->width < 0)
            s->left = true, s->width = -s->width;
        at++;
    } else {
        s->width = read_decimal(&at);
    }
    if (*at == '.') {
        at++;
        if (*at == '*')
            s->precision = va_arg(args->list, int), at++;
        else
            s->precision = read_decimal(&at);
    }
    at = read_length(at, s);
    s->conversion = *at;
    return *at ? at + 1 : at;
}

static uint64_t read_unsigned(const struct spec *s, struct arguments *args)
{
    return s->size == 8 ? va_arg(args->list, uint64_t) : va_arg(args->list, unsigned);
}

static void put_conversion(struct output *o, struct spec *s, struct arguments *args)
{
    char c;
    switch (s->conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, s->size == 8 ? va_arg(args->list, int64_t) : va_arg(args->list, int));
        break;
    case 'u':
    case 'x':
    case 'X':
        put_unsigned(o, s, read_unsigned(s, args));
        break;
    case 'p':
        put_integer(o, s, (uintptr_t)va_arg(args->list, void *), "0x", 16);
        break;
    case 'c':
        c = (char)va_arg(args->list, int);
        put_padded(o, s, &c, 1);
        break;
    case 's':
        put_string(o, s, va_arg(args->list, const char *));
        break;
    case '%':
        put(o, '%');
        break;
    default: // unknown: shown, so that it is seen; the compiler's format check finds it first
        put(o, '%');
        put(o, s->conversion ? s->conversion : '?');
    }
}

int format_text_v(char *to, size_t bytes, const char *fmt, va_list list)
{
    struct output o = { .to = to, .bytes = bytes };
    struct arguments args;
    va_copy(args.list, list);
    while (*fmt) {
        if (*fmt != '%') {
            put(&o, *fmt++);
            continue;
        }
        struct spec s;
        fmt = read_spec(fmt + 1, &s, &args);
        put_conversion(&o, &s, &args);
    }
    va_end(args.list);
    if (bytes)
        to[o.length < bytes ? o.length : bytes - 1] = 0;
    return (int)o.length;
}

int format_text(char *to, size_t bytes, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = format_text_v(to, bytes, fmt, args);
    va_end(args);
    return length;
}
