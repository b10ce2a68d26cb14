"""az ssh-doctor [OPTION]... VM: runs azssh-doctor with the sign-in and the subscription of az."""
import os
import shutil
import subprocess
import sys

from azure.cli.core import AzCommandsLoader
from azure.cli.core.commands import CliCommandType
from knack.help_files import helps

helps["ssh-doctor"] = """
type: command
short-summary: Why can I not SSH to this VM, and what do I type to fix it?
long-summary: >
    Runs azssh-doctor, which has to be installed, with the sign-in of az. Give its own options after two dashes: az ssh-doctor -g rg -n myVM -- --deep
examples:
  - name: One VM
    text: az ssh-doctor -g rg -n myVM
"""


def command_line(program, subscription, resource_group_name=None, name=None, arguments=None):
    """The words that start the program; options of its own come as they are."""
    words = [program, "--credential", "cli"]
    if subscription:
        words += ["-s", subscription]
    if resource_group_name:
        words += ["-g", resource_group_name]
    words += list(arguments or [])
    return words + (["--", name] if name else [])


def ssh_doctor(cmd, resource_group_name=None, vm_name=None, arguments=None):
    """The exit code is the program's own."""
    program = os.environ.get("AZSSH_DOCTOR") or shutil.which("azssh-doctor")
    if program is None:
        raise FileNotFoundError("azssh-doctor is not installed: it has to be in the PATH, or named by AZSSH_DOCTOR")
    from azure.cli.core.commands.client_factory import get_subscription_id
    subscription = cmd.cli_ctx.data.get("subscription_id") or get_subscription_id(cmd.cli_ctx)
    sys.exit(subprocess.call(command_line(program, subscription, resource_group_name, vm_name, arguments)))


class SshDoctorCommandsLoader(AzCommandsLoader):
    def __init__(self, cli_ctx=None):
        super().__init__(cli_ctx=cli_ctx, custom_command_type=CliCommandType(operations_tmpl="azext_ssh_doctor#{}"))

    def load_command_table(self, args):
        with self.command_group("") as group:
            group.custom_command("ssh-doctor", "ssh_doctor")
        return self.command_table

    def load_arguments(self, command):
        with self.argument_context("ssh-doctor") as context:
            context.argument("vm_name", options_list=["--name", "-n"], help="The VM.")
            context.argument("resource_group_name", options_list=["--resource-group", "-g"], help="Its resource group.")
            context.positional("arguments", nargs="*", help="Options of azssh-doctor, after two dashes.")


COMMAND_LOADER_CLS = SshDoctorCommandsLoader
