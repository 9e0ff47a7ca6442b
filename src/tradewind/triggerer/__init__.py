"""The triggerer: takes triggers by lease, hosts them in processes of their own, and tells what they waited for.

Begin reading at `service` (the loop), then `hosts` (which process hosts which trigger, and what happens when one
dies or is held up). User code runs in `runtime.trigger_host` only.
"""
