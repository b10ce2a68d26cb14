"""Fleets for the simulator: VMs in groups over three subscriptions, with security groups of their own or shared ones, and 3 % of each of ten faults."""
import json
import random

from simlib import BASE, NIC, NSG, PIP, SUB, VM, VNET

SUBSCRIPTIONS = [SUB, "22222222-2222-2222-2222-222222222223", "22222222-2222-2222-2222-222222222224"]
SOURCE = "203.0.113.7"


def stopped(fleet, vm):
    statuses = fleet.resources[vm.id]["properties"]["instanceView"]["statuses"]
    statuses[-1] = {"code": "PowerState/deallocated", "level": "Info", "displayStatus": "VM deallocated"}


def failed(fleet, vm):
    fleet.resources[vm.id]["properties"]["provisioningState"] = "Failed"
    fleet.resources[vm.id]["properties"]["instanceView"]["statuses"][0]["code"] = "ProvisioningState/failed/OSProvisioningTimedOut"


def no_address(fleet, vm):
    del fleet.config(vm)["publicIPAddress"]
    del fleet.resources[vm.ip]


def no_rule(fleet, vm):
    fleet.own_nsg(vm)["properties"]["securityRules"] = []


def deny(fleet, vm):
    rule = fleet.own_nsg(vm)["properties"]["securityRules"][0]
    rule["name"], rule["properties"]["access"] = "deny-ssh", "Deny"


def other_source(fleet, vm):
    fleet.own_nsg(vm)["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] = "198.51.100.0/24"


def other_port(fleet, vm):
    fleet.own_nsg(vm)["properties"]["securityRules"][0]["properties"]["destinationPortRange"] = "2222"


def windows(fleet, vm):
    properties = fleet.resources[vm.id]["properties"]
    properties["storageProfile"]["osDisk"]["osType"] = "Windows"
    properties["osProfile"].pop("linuxConfiguration", None)
    properties["osProfile"]["windowsConfiguration"] = {"provisionVMAgent": True}


def dynamic_address(fleet, vm):
    fleet.resources[vm.ip]["properties"].pop("ipAddress")
    fleet.resources[vm.ip]["properties"]["publicIPAllocationMethod"] = "Dynamic"


def other_protocol(fleet, vm):
    fleet.own_nsg(vm)["properties"]["securityRules"][0]["properties"]["protocol"] = "Udp"


FAULTS = [stopped, failed, no_address, no_rule, deny, other_source, other_port, windows, dynamic_address, other_protocol]


class Machine:
    def __init__(self, subscription, group, name):
        self.subscription, self.group, self.name = subscription, group, name
        self.place = f"/subscriptions/{subscription}/resourceGroups/{group}"
        self.id = f"{self.place}/providers/Microsoft.Compute/virtualMachines/{name}"
        net = f"{self.place}/providers/Microsoft.Network/"
        self.nic_id, self.ip, self.nsg = f"{net}networkInterfaces/{name}-nic", f"{net}publicIPAddresses/{name}-ip", f"{net}networkSecurityGroups/{name}-nsg"
        self.vnet, self.shared = f"{net}virtualNetworks/{group}-vnet", f"{net}networkSecurityGroups/{group}-nsg"
        self.fault = None


class Fleet:
    """resources: for the simulator's world; machines: the VMs in the order of their making."""

    def __init__(self, count, groups=40, seed=1, share=0.03, tagged=5):
        self.resources, self.machines, chance = {}, [], random.Random(seed)
        for subscription in SUBSCRIPTIONS[1:]:
            self.resources[f"/subscriptions/{subscription}"] = self.copied(f"/subscriptions/{SUB}", {SUB: subscription})
        for i in range(groups):
            self.group(SUBSCRIPTIONS[i % 3], f"group{i}")
        for i in range(count):
            self.add(i, groups, chance.random(), share, tagged)

    def copied(self, path, names):
        text = json.dumps(BASE["resources"][path])
        for old, new in names.items():
            text = text.replace(old, new)
        return json.loads(text)

    def group(self, subscription, name):
        place = f"/subscriptions/{subscription}/resourceGroups/{name}"
        self.resources[place] = {"id": place, "name": name, "type": "Microsoft.Resources/resourceGroups", "location": "westeurope",
                                 "properties": {"provisioningState": "Succeeded"}}
        any_vm = Machine(subscription, name, "x")
        self.resources[any_vm.shared] = self.copied(NSG, {NSG: any_vm.shared, "myVM-nsg": name + "-nsg"})
        vnet = self.copied(VNET, {VNET: any_vm.vnet, "myVnet": name + "-vnet"})
        vnet["properties"]["subnets"][0]["properties"].pop("ipConfigurations", None)
        vnet["properties"]["subnets"][0]["properties"]["networkSecurityGroup"] = {"id": any_vm.shared}
        self.resources[any_vm.vnet] = vnet

    def add(self, number, groups, drawn, share, tagged):
        group = number % groups
        vm = Machine(SUBSCRIPTIONS[group % 3], f"group{group}", f"vm{number:05}")
        names = {VM: vm.id, NIC: vm.nic_id, PIP: vm.ip, NSG: vm.nsg, VNET: vm.vnet, "myVM": vm.name, "20.51.230.13": f"20.60.{number // 250}.{number % 250}",
                 "10.0.0.4": f"10.0.{number // 250}.{number % 250}"}
        for path, new in ((VM, vm.id), (NIC, vm.nic_id), (PIP, vm.ip)):
            self.resources[new] = self.copied(path, names)
        self.resources[vm.id]["tags"] = {"role": "web"} if number % tagged == 0 else {}
        del self.nic(vm)["properties"]["networkSecurityGroup"]
        if number % 2:
            self.own_nsg(vm)
        if drawn < share * len(FAULTS):
            vm.fault = FAULTS[int(drawn / share)]
            vm.fault(self, vm)
        self.machines.append(vm)

    def nic(self, vm):
        return self.resources[vm.nic_id]

    def config(self, vm):
        return self.nic(vm)["properties"]["ipConfigurations"][0]["properties"]

    def own_nsg(self, vm):
        if vm.nsg not in self.resources:
            self.resources[vm.nsg] = self.copied(NSG, {NSG: vm.nsg, "myVM-nsg": vm.name + "-nsg"})
            self.nic(vm)["properties"]["networkSecurityGroup"] = {"id": vm.nsg}
        return self.resources[vm.nsg]
