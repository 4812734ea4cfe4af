"""A process of the user, outside the sandbox: what it holds must not get out. Says what others need to know to try."""
import ctypes
import json
import os
import struct
import sys
import time

mark, victim, add_key, name_to_handle_at = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
secret = os.environ['WITNESS_SECRET'].encode()
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
# A user keyring that did not exist is made by the first key put into it (-4: the user's own).
key = libc.syscall(add_key, b'user', b'cachalot-' + mark.encode(), secret, len(secret), ctypes.c_int(-4))
segment = libc.shmget(0, 4096, 0o1600)
ctypes.memmove(libc.shmat(segment, None, 0), secret + b'\0', len(secret) + 1)
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
mount = ctypes.c_int()
libc.syscall(name_to_handle_at, ctypes.c_int(-100), victim.encode(), handle, ctypes.byref(mount), 0)
size, kind = struct.unpack_from('Ii', handle)
print(json.dumps({'segment': segment, 'key': key, 'handle': {'type': kind, 'hex': handle.raw[8 : 8 + size].hex()}}), flush=True)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.2)
