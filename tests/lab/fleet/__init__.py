"""Whole Debian hosts on one machine: systemd, ssh and a network of their own (systemd-nspawn(1)).

A host is as a provider of machines hands it out: Debian 12 with an account `debian` that has sudo
and a key, and nothing of ours. Several fleets are up side by side without meeting. By hand, as
root, from the top of the checkout:

    python -m tests.lab.fleet up --name ME --hosts hub,controller,compute1
    python -m tests.lab.fleet up --name ME --hosts controller,hub --disk controller,hub:4
    python -m tests.lab.fleet show --name ME
    python -m tests.lab.fleet run --name ME hub -- systemctl --failed
    python -m tests.lab.fleet reboot|off|on|remove --name ME compute1
    python -m tests.lab.fleet down --name ME
    python -m tests.lab.fleet list

A second `up` adds hosts. A disk is given to one host, or the same disk to several (they share one
file system, as one kernel has it mounted); it is /dev/vdb there, the next /dev/vdc.
"""
