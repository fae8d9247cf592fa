"""How the bytes of a model move: threads with plain sockets, several ranges and files at a time.

wire, connections   requests, redirects, kept connections
segments            which bytes are here, under way, missing
journal             the same, as it survives a kill or a power cut
file                one file: its descriptor, its segments, its hashes
crew                the threads of one pull, and what happens when something goes wrong
pilot, throttle     how many connections, how many bytes a second
"""
