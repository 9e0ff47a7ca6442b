"""What runs on a worker: agent, zygote, templates, task child, channel, log files, values.

Who is who, from the outside in:

- `agent` holds the attempts of a machine and talks to the execution face (`exchange`); `agent_main` runs it.
- `zygote` is an interpreter with the SDK imported, started by the agent. A `template` is forked from it and holds one
  DAG file.
- `child` is the process of an attempt: a fork of a template, or a fresh interpreter. It speaks to the agent over a
  `channel`.

The agent never imports user code and stays small; zygote, templates and children never see a credential. Each of them
dies with its parent. Begin reading at `agent`, then `seats` (where processes come from) and `child`.
"""
