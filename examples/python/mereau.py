"""libmereau from Python, with nothing but ctypes.

    import mereau
    ctx = mereau.Context(mereau.sqlite("tokens.db"), root_keys={"2026": key})
    acme = ctx.tenant("acme")
    mint = acme.registration_token_mint(client_id="door", count=2, lifetime_s=600)
    print(mint.registration_token)

Every operation of the library is a method of a tenant: its fields are keyword
arguments, its results attributes, under the names of mereau/field.h in lower case;
the rows of a list are iterated over. A refusal is raised as mereau.Refused, with
`rule`, `wanted` and `found`. What holds memory of the library frees it when it is
collected, in any order.

The library is looked for in $MEREAU_LIBDIR, then where the system keeps its own.
"""
import ctypes as c
import ctypes.util
import os
import time


def _load(name):
    folder = os.environ.get("MEREAU_LIBDIR")
    if folder:
        return c.CDLL(os.path.join(folder, f"lib{name}.so"))
    return c.CDLL(ctypes.util.find_library(name) or f"lib{name}.so.0")


class _Error(c.Structure):  # mereau_error
    _fields_ = [("size", c.c_uint32), ("status", c.c_int32), ("host_code", c.c_int32),
                ("reserved", c.c_uint32), ("rule", c.c_char * 48), ("source", c.c_char * 32),
                ("wanted", c.c_char * 96), ("found", c.c_char * 96), ("text", c.c_char * 224)]


_P, _S, _I, _N, _F = c.c_void_p, c.c_char_p, c.c_int64, c.c_size_t, c.c_int32
_ERR = c.POINTER(_Error)
_SIGNATURES = {  # name: (result, arguments...)
    "version": (_S,), "unset": (_I,), "constant": (_I, _S),
    "error_init": (None, _ERR, _N), "status_name": (_S, _F), "status_oauth": (_S, _F),
    "status_http": (_F, _F), "status_can_retry": (_F, _F),
    "ctx_new": (_P,), "ctx_free": (None, _P), "ctx_set_store": (None, _P, _P),
    "ctx_set_clock": (None, _P, _P), "ctx_add_root_key": (None, _P, _S, _S, _N),
    "ctx_ready": (_F, _P, _ERR), "system_clock": (_P,),
    "memory_open": (_F, c.POINTER(_P), _ERR), "store_close": (None, _P),
    "tenant_open": (_P, _P, _S), "tenant_free": (None, _P),
    "field_find": (_F, _S), "field_type": (_F, _F),
    "op_new": (_P, _P, _S), "op_free": (None, _P), "op_run": (_F, _P, _ERR),
    "op_dry_run": (_F, _P, _ERR), "op_set_bytes": (None, _P, _F, _S, _N),
    "op_add_text": (None, _P, _F, _S), "op_set_int": (None, _P, _F, _I),
    "op_text": (_S, _P, _F), "op_text_at": (_S, _P, _F, _N), "op_int": (_I, _P, _F),
    "op_bytes": (_P, _P, _F, c.POINTER(_N)), "op_json": (_S, _P),
    "op_next_row": (_F, _P), "op_has_more": (_F, _P),
    "verifier_new": (_P, _S, _S), "verifier_free": (None, _P),
    "verifier_set_jwks": (None, _P, _S, _N), "verifier_set_skew_s": (None, _P, _I),
    "verifier_ready": (_F, _P, _ERR), "claims_new": (_P,), "claims_free": (None, _P),
    "claims_json": (_S, _P, c.POINTER(_N)), "jwt_verify": (_F, _P, _P, _S, _N, _I, _ERR),
}
_lib = _load("mereau")
for _name, (_result, *_arguments) in _SIGNATURES.items():
    _function = getattr(_lib, "mereau_" + _name)
    _function.restype, _function.argtypes = _result, _arguments
UNSET = _lib.mereau_unset()
NOW = _lib.mereau_constant(b"NOW")  # as an instant: when the operation reads the clock


def version():
    return _lib.mereau_version().decode()


class Refused(Exception):
    """What the library did not do, and why. For logs and tests: only `oauth` and
    `http` may be told to a caller."""

    def __init__(self, err):
        self.status = err.status
        self.name = _lib.mereau_status_name(err.status).decode()
        self.rule, self.source = err.rule.decode(), err.source.decode()
        self.wanted, self.found = err.wanted.decode(), err.found.decode()
        self.oauth = _lib.mereau_status_oauth(err.status).decode()
        self.http = _lib.mereau_status_http(err.status)
        self.can_retry = bool(_lib.mereau_status_can_retry(err.status))
        super().__init__(f"{self.name}: {err.text.decode()}")


def _checked(function, *arguments):
    err = _Error()
    _lib.mereau_error_init(err, c.sizeof(err))
    if function(*arguments, err) != 0:
        raise Refused(err)


def _field(name):
    """A field's number and type, and a clear error for a misspelt one."""
    number = _lib.mereau_field_find(name.encode())
    if number == 0:
        raise AttributeError(f"no field of the library is called {name!r}")
    return number, chr(_lib.mereau_field_type(number))


def _made(pointer):
    if not pointer:
        raise MemoryError
    return pointer


class _Handle:
    """Something of the library; freed once, also when making it failed half-way."""
    _free = None
    _pointer = None

    def close(self):
        pointer, self._pointer = self._pointer, None
        if pointer:
            type(self)._free(pointer)

    def __del__(self):
        self.close()


class Store(_Handle):
    _free = staticmethod(_lib.mereau_store_close)

    def __init__(self, opened):
        self._pointer = opened.value


def memory():
    """A store that forgets, for tests."""
    store = _P()
    _checked(_lib.mereau_memory_open, c.byref(store))
    return Store(store)


def sqlite(path):
    """A store in a SQLite file."""
    library, store = _load("mereau-sqlite"), _P()
    library.mereau_sqlite_open.restype = _F
    library.mereau_sqlite_open.argtypes = [c.POINTER(_P), _S, _ERR]
    _checked(library.mereau_sqlite_open, c.byref(store), os.fsencode(path))
    return Store(store)


class Context(_Handle):
    _free = staticmethod(_lib.mereau_ctx_free)

    def __init__(self, store, root_keys):
        """root_keys: {name: 32..64 random bytes}; the last one makes what is new."""
        self._pointer = _made(_lib.mereau_ctx_new())
        self._store = store
        _lib.mereau_ctx_set_store(self._pointer, store._pointer)
        _lib.mereau_ctx_set_clock(self._pointer, _lib.mereau_system_clock())
        for name, key in root_keys.items():
            _lib.mereau_ctx_add_root_key(self._pointer, name.encode(), key, len(key))
        _checked(_lib.mereau_ctx_ready, self._pointer)

    def tenant(self, name):
        return Tenant(self, name)


class Tenant(_Handle):
    _free = staticmethod(_lib.mereau_tenant_free)

    def __init__(self, ctx, name):
        # The library counts its own references; the store it does not own, so that
        # is held here and in every operation, and closed after the last of them.
        self._store = ctx._store
        self._pointer = _made(_lib.mereau_tenant_open(ctx._pointer, name.encode()))

    def __getattr__(self, operation):
        if operation.startswith("_"):
            raise AttributeError(operation)
        return lambda dry_run=False, **inputs: Op(self, operation, inputs, dry_run)


class Op(_Handle):
    """A finished operation: its results are its attributes, None when absent."""
    _free = staticmethod(_lib.mereau_op_free)

    def __init__(self, tenant, name, inputs, dry_run=False):
        self._store = tenant._store
        self._pointer = _made(_lib.mereau_op_new(tenant._pointer, name.encode()))
        for key, value in inputs.items():
            if value is not None:
                self._set(key, value)
        run = _lib.mereau_op_dry_run if dry_run else _lib.mereau_op_run
        _checked(run, self._pointer)

    def _set(self, key, value):
        number, kind = _field(key)
        if kind in "IB":
            _lib.mereau_op_set_int(self._pointer, number, int(value))
        elif kind == "L" and not isinstance(value, (str, bytes)):
            for text in value:
                _lib.mereau_op_add_text(self._pointer, number, text.encode())
        else:
            data = value if isinstance(value, bytes) else value.encode()
            _lib.mereau_op_set_bytes(self._pointer, number, data, len(data))

    def __getattr__(self, key):
        number, kind = _field(key)
        if kind in "IB":
            value = _lib.mereau_op_int(self._pointer, number)
            return None if value == UNSET else bool(value) if kind == "B" else value
        if kind == "L":
            texts = []
            while (text := _lib.mereau_op_text_at(self._pointer, number,
                                                  len(texts))) is not None:
                texts.append(text.decode())
            return texts
        if kind == "D":
            size = _N()
            data = _lib.mereau_op_bytes(self._pointer, number, c.byref(size))
            return c.string_at(data, size.value) if data else None
        text = _lib.mereau_op_text(self._pointer, number)
        return None if text is None else text.decode()

    def json(self):
        text = _lib.mereau_op_json(self._pointer)
        return None if text is None else text.decode()

    def __iter__(self):
        """The rows of a list, page after page; the operation itself is each row."""
        while True:
            while _lib.mereau_op_next_row(self._pointer):
                yield self
            if not _lib.mereau_op_has_more(self._pointer):
                return
            _checked(_lib.mereau_op_run, self._pointer)


class Verifier(_Handle):
    """Whom to trust. Needs no store: any server that has the published keys."""
    _free = staticmethod(_lib.mereau_verifier_free)

    def __init__(self, issuer, audience, jwks, skew_s=0):
        self._pointer = _made(_lib.mereau_verifier_new(issuer.encode(), audience.encode()))
        keys = jwks.encode()
        _lib.mereau_verifier_set_jwks(self._pointer, keys, len(keys))
        _lib.mereau_verifier_set_skew_s(self._pointer, skew_s)
        _checked(_lib.mereau_verifier_ready, self._pointer)

    def verify(self, token, now_at=None):
        """The claims of a good token, as JSON text."""
        claims, data = _made(_lib.mereau_claims_new()), token.encode()
        try:
            _checked(_lib.mereau_jwt_verify, self._pointer, claims, data, len(data),
                     int(time.time()) if now_at is None else now_at)
            return _lib.mereau_claims_json(claims, None).decode()
        finally:
            _lib.mereau_claims_free(claims)
