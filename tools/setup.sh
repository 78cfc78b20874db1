#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs what building, running and testing Onebell needs, on Debian 12 and later (amd64), through
# apt. `make run` and `make test` call it each time, so it is quick when nothing is missing.
#
#   tools/setup.sh run         installs what `make run` needs and is missing
#   tools/setup.sh report      the same, and what draws `make report`'s charts
#   tools/setup.sh media       as run, and what makes and signs media to boot from
#   tools/setup.sh fleet       as report and media, and what speaks to BMCs
#   tools/setup.sh [test]      all of these, and what the tests need besides
#   tools/setup.sh linux       what `make run` and `make compare-linux` need
#   tools/setup.sh --list      prints the step's packages, and the suite that each comes from
#   tools/setup.sh --dry-run   says what the step would do by apt's lists, and changes nothing
#   tools/setup.sh --source    prints the apt source that it adds on Debian 12 for QEMU
set -eu

QEMU_LEAST=1:9 # x2APIC behind intel-iommu without KVM starts here

RUN_PACKAGES="
    binutils console-setup-linux gcc gnu-efi libc6-dev make nasm ovmf python3 qemu-system-x86"

REPORT_PACKAGES="python3-matplotlib"

MEDIA_PACKAGES="dosfstools mtools sbsigntool xorriso"

FLEET_PACKAGES="python3-sushy"

# six is for one of fio's own tools, whose package asks for it on no release.
TEST_PACKAGES="
    acpica-tools chromium clang cppcheck fio git grub-efi-amd64-bin libclang-rt-dev
    libcmocka-dev nvme-cli openssl python3-pexpect python3-pytest python3-pytest-timeout
    python3-pytest-xdist python3-six python3-yaml spin zbar-tools"

LINUX_PACKAGES="
    bc bison busybox-static cpio fio flex libelf-dev linux-source-6.12 python3-pytest
    python3-pytest-timeout xz-utils"

# What a release may lack, one a line, and the tests that are skipped there.
OPTIONAL_PACKAGES="clang-format-19 the check of C's formatting
python3-virt-firmware what tests Secure Boot and HTTP boot
lava-dispatcher what tests tools/lava
python3-labgrid what tests tools/labgrid"

# The tests give it a machine of their own to look at.
ETC=${SETUP_ETC:-/etc}
APT_SOURCE=apt/sources.list.d/onebell-backports.sources

say() {
    printf 'setup: %s\n' "$*"
}

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# A field of os-release.
os_field() {
    sed -n "s/^$1=//p" "$ETC/os-release" 2>/dev/null | tr -d '"'
}

# The suite that a package is taken from.
suite_of() {
    case $VERSION:$1 in
    12:qemu-system-x86 | 12:linux-source-6.12 | 12:python3-virt-firmware) echo "$CODENAME-backports" ;;
    13:lava-dispatcher | 13:python3-labgrid) echo "$CODENAME-backports" ;;
    *) echo "$CODENAME" ;;
    esac
}

list() {
    for package in $PACKAGES; do
        printf '%-24s %s\n' "$package" "$(suite_of "$package")"
    done
    printf '%s\n' "$OPTIONAL" | while read -r package tests; do
        [ -z "$package" ] || printf '%-24s %s, for %s\n' "$package" "$(suite_of "$package")" "$tests"
    done
}

# apt's own view of its sources, whichever format they are written in: entry, suite, component, URI.
apt_sources() {
    apt-get -o Dir::Etc="$ETC/apt" indextargets --no-release-info \
        --format '$(SOURCESENTRY) $(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages'
}

# The Signed-By of a source: $1 is FILE:N, the Nth stanza of a .sources file or line N of a list.
signed_by() {
    file=${1%:*}
    entry=${1##*:}
    case $file in
    *.sources)
        sed '/^#/d' "$file" | awk -v RS= -v FS='\n' -v entry="$entry" '
            NR == entry {
                for (i = 1; i <= NF; i++) {
                    if ($i !~ /^[ \t]/)
                        wanted = tolower($i) ~ /^signed-by:/
                    if (wanted)
                        print $i
                }
            }' ;;
    *)
        sed -n "${entry}p" "$file" |
            sed -n 's/.*[[ ]signed-by="\{0,1\}\([^] "]*\).*/Signed-By: \1/p' ;;
    esac
}

# The backports suite lies where this machine's Debian archive lies.
backports_source() {
    found=$(apt_sources | awk -v suite="$CODENAME" '
        $2 == suite && $3 == "main" && $4 !~ /^cdrom:/ { print $1, $4; exit }')
    [ -n "$found" ] || fail "apt has no source for $CODENAME main: add one, or one for" \
        "$CODENAME-backports (QEMU $QEMU_LEAST or later, and Linux 6.12, come from there)"
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' \
        "${found#* }" "$CODENAME"
    signed_by "${found%% *}"
}

# Which of the packages aren't installed, or are too old.
missing() {
    # One line for each package that dpkg has heard of; the status says whether it is there.
    known=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status} ${Version}\n' \
        "$@" 2>/dev/null || true)
    for package; do
        state=$(printf '%s\n' "$known" | sed -n "s/^$package\(:[a-z0-9]*\)\{0,1\} installed //p")
        case $package in
        qemu-system-x86)
            dpkg --compare-versions "${state:-0}" ge "$QEMU_LEAST" || echo "$package" ;;
        *)
            [ -n "$state" ] || echo "$package" ;;
        esac
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root, and there is no sudo: run tools/setup.sh $STEP as root once"
    fi
}

install_packages() { # [-t SUITE] PACKAGE...
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Whether apt could install a package, by the lists that it has.
apt_has() {
    [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]
}

check_system() {
    VERSION=$(os_field VERSION_ID)
    CODENAME=$(os_field VERSION_CODENAME)
    if [ "$(os_field ID)" = debian ] && [ "${VERSION:-0}" -ge 12 ] 2>/dev/null &&
        [ "$(dpkg --print-architecture)" = amd64 ]; then
        return
    fi
    name=$(os_field PRETTY_NAME)
    {
        say "this is ${name:-an unknown system}; packages are installed by themselves only on" \
            "Debian 12 or later (amd64)."
        say "make $STEP needs what these Debian packages hold, with QEMU 9 or later:"
        printf '%s\n' $PACKAGES ${OPTIONAL:+"$OPTIONAL"} | sed 's/^/  /'
        say "Once they are there: make SETUP=true $STEP"
    } >&2
    exit 1
}

read_arguments() {
    STEP=test
    ACTION=install
    for word; do
        case $word in
        run | report | media | fleet | test | linux) STEP=$word ;;
        --list | --dry-run | --source) ACTION=${word#--} ;;
        *) fail "knows the steps run, report, media, fleet, test and linux, and --list, --dry-run" \
            "and --source, not '$word'" ;;
        esac
    done
    PACKAGES=$RUN_PACKAGES
    OPTIONAL=
    case $STEP in
    report) PACKAGES="$RUN_PACKAGES $REPORT_PACKAGES" ;;
    media) PACKAGES="$RUN_PACKAGES $MEDIA_PACKAGES" ;;
    fleet) PACKAGES="$RUN_PACKAGES $REPORT_PACKAGES $MEDIA_PACKAGES $FLEET_PACKAGES" ;;
    test)
        PACKAGES="$RUN_PACKAGES $REPORT_PACKAGES $MEDIA_PACKAGES $FLEET_PACKAGES $TEST_PACKAGES"
        OPTIONAL=$OPTIONAL_PACKAGES ;;
    linux) PACKAGES="$RUN_PACKAGES $LINUX_PACKAGES" ;;
    esac
}

# What is missing of the packages that every release has: by suite, in $plain and $backports, and
# the apt source that has to be added for it.
plan_packages() {
    plain=
    backports=
    source=
    for package in $(missing $PACKAGES); do
        case $(suite_of "$package") in
        *-backports) backports="$backports $package" ;;
        *) plain="$plain $package" ;;
        esac
    done
    if [ -n "$backports" ] && ! apt_sources | grep -q " $CODENAME-backports main "; then
        source=$(backports_source)
    fi

    [ -z "$plain" ] || say "installs from $CODENAME:$plain"
    [ -z "$backports" ] || say "installs from $CODENAME-backports:$backports"
    [ -z "$source" ] || {
        say "adds $ETC/$APT_SOURCE:"
        printf '%s\n' "$source" | sed 's/^/  /'
    }
}

update_lists() {
    [ "$ACTION" = install ] || return 0
    [ -z "$source" ] || printf '%s\n' "$source" | as_root tee "$ETC/$APT_SOURCE" >/dev/null
    as_root apt-get update
}

# What is missing of the packages that a release may lack: in $optional.
plan_optional() {
    optional=
    while read -r package tests; do
        if [ -z "$package" ] || [ -z "$(missing "$package")" ]; then
            continue
        elif apt_has "$package"; then
            optional="$optional $package"
        else
            say "apt's lists have no $package: $tests is skipped"
        fi
    done <<END
$OPTIONAL
END
    [ -z "$optional" ] || say "installs, from where apt has it:$optional"
}

main() {
    read_arguments "$@"
    check_system
    case $ACTION in
    list) list; return ;;
    source) [ "$VERSION" != 12 ] || backports_source; return ;;
    esac

    plan_packages
    [ -z "$plain$backports" ] || update_lists
    plan_optional
    [ -n "$plain$backports" ] || [ -z "$optional" ] || update_lists

    if [ -z "$plain$backports$optional" ]; then
        say "nothing to install"
    elif [ "$ACTION" = install ]; then
        [ -z "$plain$optional" ] || install_packages $plain $optional
        [ -z "$backports" ] || install_packages -t "$CODENAME-backports" $backports
    fi
}

main "$@"
