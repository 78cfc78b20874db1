# SPDX-License-Identifier: BSD-2-Clause
"""tools/check-atomics on small functions, right and wrong, as the kernel's compiler makes them."""
import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools/check-atomics"


def load():
    spec = importlib.util.spec_from_loader("check_atomics", SourceFileLoader("check_atomics", str(TOOL)))
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_atomics"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


atomics = load()
Has, Order, Only, Pair = atomics.Has, atomics.Order, atomics.Only, atomics.Pair
FIELDS = {"array": (0x40, 32), "flag": (0x60, 1)}

SOURCE = """
struct s { unsigned long before[8], array[4]; _Bool flag; };
#define NO __attribute__((noinline))
#define SEQ __ATOMIC_SEQ_CST
#define asm_(text) __asm__ volatile(text ::: "memory")
NO void look(void) { asm_("nop"); }
NO _Bool flag_of(struct s *s) { return __atomic_load_n(&s->flag, SEQ); }
static inline __attribute__((always_inline)) unsigned long take(struct s *s, unsigned n)
{
    TAKE
}
NO unsigned long loop(struct s *s)
{
    unsigned long any = 0;
    for (unsigned n = 0; n < 4; n++)
        any += take(s, n);
    return any;
}
NO unsigned long one(struct s *s) { return take(s, 2); }
NO void f(struct s *s, int n)
{
    BODY
}
"""
XCHG = "return __atomic_exchange_n(&s->array[n], 0, SEQ);"
LOAD_STORE = "unsigned long was = s->array[n]; s->array[n] = 0; return was;"


@pytest.fixture
def check(tmp_path):
    def run(*rules, body="", take=XCHG):
        source = tmp_path / "file.c"
        source.write_text(SOURCE.replace("BODY", body).replace("TAKE", take))
        subprocess.run([atomics.CC, "-O2", "-g1", "-fcf-protection=none", "-fno-pie", "-static",
                        "-nostdlib", "-Wl,-e,f", source, "-o", tmp_path / "elf"], check=True)
        code = atomics.analyse(atomics.disassemble(tmp_path / "elf"), FIELDS)
        return list(atomics.check(code, rules, {"file.c"}))

    return run


def test_inlined_functions_are_found(check):
    rule = Has("take", "xchg array", "why")
    assert check(rule) == []
    assert check(rule, take=LOAD_STORE) == ["loop: take has no `xchg array` (why)",
                                            "one: take has no `xchg array` (why)"]
    assert check(Has("file.c:take", "xchg", "why")) == []
    assert check(Has("other.c:take", "xchg", "why")) == ["other.c:take is not there (why)"]


def test_fields_are_followed(check):
    """By an address that a loop counts up, and by a fixed one."""
    rule = Only("array", "xchg array", (), "why")
    assert check(rule) == []
    said = check(Only("array", "lock or array", (), "why"))
    assert [sentence.split("+")[0] for sentence in said] == ["loop", "one"]
    assert said[0].endswith("`xchg` changes array (why)")
    assert len(check(rule, take=LOAD_STORE)) >= 2
    assert check(Only("array", "xchg array", ("take",), "why"), take=LOAD_STORE) == []
    assert check(Only("array", "xchg array", (), "why", "other.c"), take=LOAD_STORE) == []
    assert check(Has("one", "xchg array[2]", "why")) == []


@pytest.mark.parametrize("body, right", [
    ("__atomic_store_n(&s->flag, 1, SEQ);", True),
    ("__atomic_store_n(&s->flag, 0, __ATOMIC_RELEASE);", True),
    ("__atomic_store_n(&s->flag, 1, __ATOMIC_RELEASE);", False),
    ("s->flag |= n;", False),
])
def test_values_count(check, body, right):
    assert (check(Only("flag", "xchg flag|store flag=0", (), ""), body=body) == []) == right


@pytest.mark.parametrize("body, right", [
    ("asm_(\"cli\"); look(); asm_(\"hlt\");", True),
    ("asm_(\"cli\"); if (n) look(); asm_(\"hlt\");", False),
    ("look(); asm_(\"cli\"); asm_(\"hlt\");", False),
    ("asm_(\"cli\"); if (n) { look(); asm_(\"hlt\"); }", True),
    ("do { asm_(\"cli\"); look(); asm_(\"hlt\"); } while (n--);", True),
    ("asm_(\"cli\"); do { asm_(\"hlt\"); look(); } while (n--);", False),
    ("asm_(\"cli\"); look();", False),  # no hlt at all: the rule has lost its place
    ("asm_(\"cli\"); look(); __builtin_trap(); asm_(\"hlt\");", False),
])
def test_all_ways_lead_through(check, body, right):
    assert (check(Order("f", "cli", "call look", "hlt", ""), body=body) == []) == right


def test_a_called_function_counts(check):
    body = "asm_(\"cli\"); if (flag_of(s)) return; asm_(\"hlt\");"
    assert check(Order("f", "cli", "load flag", "hlt", ""), body=body) == []
    said = check(Order("f", "cli", "load array", "hlt", "why"), body=body)
    assert len(said) == 1
    assert said[0].startswith("f+0x") and "from `cli` to `hlt` without `load array` (why)" in said[0]


@pytest.mark.parametrize("body, right", [
    ("look(); __atomic_store_n(&s->flag, 1, SEQ);", True),
    ("__atomic_store_n(&s->flag, 1, SEQ); look();", False),
])
def test_never_behind(check, body, right):
    assert (check(Order("f", "xchg flag", None, "call look", ""), body=body) == []) == right


@pytest.mark.parametrize("body, right", [
    ("if (n) asm_(\"sti\"); s->flag = 1;", False),
    ("if (n) return; asm_(\"sti\"); s->flag = 1;", True),
])
def test_from_the_entry(check, body, right):
    assert (check(Order("f", "entry", "sti", "store flag", ""), body=body) == []) == right


@pytest.mark.parametrize("body, right", [
    ("asm_(\"sti\\n\\thlt\");", True),
    ("asm_(\"sti\"); s->flag = n; asm_(\"hlt\");", False),
    ("asm_(\"hlt\");", False),
])
def test_pairs(check, body, right):
    assert (check(Pair("f", "sti", "hlt", ""), body=body) == []) == right


def test_offsets_of_the_kernel():
    header = next(ROOT.glob("kernel/**/percpu.h"))
    fields = atomics.field_offsets(header)
    assert fields.keys() == atomics.FIELDS.keys()
    assert fields["control"] == (fields["pir"][0] + 32, 8)
    assert fields["ready"][1] == fields["pir"][1] == 32


def test_this_kernel():
    kernel = ROOT / "build/kernel.elf"
    if not kernel.is_file():  # `make test-tools` builds it
        pytest.skip("build/kernel.elf isn't built")
    done = subprocess.run([TOOL], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
