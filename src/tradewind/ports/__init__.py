"""The sockets in the wall: protocols that services speak and adapters answer. Each plug passes the exam of its port in
`tests/conformance`.
"""
