# SPDX-License-Identifier: BSD-2-Clause
"""A volume from which GRUB starts the image, after commands of its own that leave the machine as odd
firmware would."""
import shutil
import subprocess

import pytest

from conftest import launch

MODULES = "acpi chain fat normal search search_fs_file setpci"


def volume(folder, commands, words):
    """`commands` are lines of GRUB's configuration; `words` are the image's command line."""
    if not shutil.which("grub-mkstandalone"):
        pytest.skip("grub-mkstandalone is not installed (package grub-efi-amd64-bin)")
    config, grub, image = folder / "grub.cfg", folder / "grub.efi", folder / "grub.img"
    config.write_text("\n".join(["search --file --set=root /onebell.efi", *commands,
                                 f"chainloader /onebell.efi {words}", "boot", ""]))
    subprocess.run(["grub-mkstandalone", "-O", "x86_64-efi", "-o", grub, "--modules", MODULES,
                    "--install-modules", MODULES, "--locales=", "--themes=", "--fonts=",
                    f"boot/grub/grub.cfg={config}"], check=True)
    for tool in (["mformat", "-C", "-T", "65536", "-i", image, "::"],
                 ["mmd", "-i", image, "::EFI", "::EFI/BOOT"],
                 ["mcopy", "-i", image, grub, "::EFI/BOOT/BOOTX64.EFI"],
                 ["mcopy", "-i", image, launch.BUILD / "onebell.efi", "::onebell.efi"]):
        subprocess.run(tool, check=True)
    return image
