/**
 * The program that runs examples in Python (3.7 or later). Its stdin is `Job` as JSON, its last line of output the mark and
 * `Outcome` as JSON. What cannot be taken for an example (prose, unknown names, a result that is no value) is left out: a
 * right answer must not be refused for an example that was read wrongly.
 */
export const pythonRunner = String.raw`
import ast, collections.abc, contextlib, importlib, importlib.util, io, itertools, json, math, os, re, signal, sys
job = json.loads(sys.stdin.buffer.read().decode())
sys.stdin = io.StringIO()
sys.argv = [job["path"]]
real = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

class Late(BaseException):
    pass

def late(*_):
    raise Late()

def tell(broken, passed, failed):
    os.write(real, ("\n" + job["mark"] + json.dumps({"broken": broken, "passed": passed, "failed": failed}) + "\n").encode())
    os._exit(0)

def load():
    parts = job["path"][:-3].split("/")
    names = [parts.pop()]
    folder = os.path.join(job["root"], *parts)
    sys.path[:1] = [job["root"]]
    while parts and os.path.exists(os.path.join(folder, "__init__.py")):
        names.insert(0, parts.pop())
        folder = os.path.dirname(folder)
    sys.path.insert(0, folder)
    if len(names) > 1:
        return importlib.import_module(".".join(names))
    spec = importlib.util.spec_from_file_location("subject_" + names[0], os.path.join(job["root"], job["path"]))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module

def short(value):
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:
        text = "<%s>" % type(value).__name__
    return text if len(text) <= 200 else text[:200] + "…"

def plain(text):
    return " ".join(text.split())

def same(want, got):
    if isinstance(want, float) or isinstance(got, float):
        try:
            return want == got or math.isclose(want, got, rel_tol=1e-6, abs_tol=1e-9)
        except TypeError:
            return False
    if isinstance(want, (list, tuple)) and type(want) is type(got):
        return len(want) == len(got) and all(same(a, b) for a, b in zip(want, got))
    if isinstance(want, dict) and isinstance(got, dict):
        return want.keys() == got.keys() and all(same(want[key], got[key]) for key in want)
    return bool(want == got)

def cuts(text):
    yield text
    for end in (r"\s+#", r"\s{2,}", r"\s+//", r"\s+\(", r"\s*(?:,|;)?\s+(?:and|since|because|as|where|but|so|for|with|when)\b", r"[.;,]?\s*$", r"[.,;\x60]"):
        found = re.search(end, text)
        if found and found.start():
            yield text[:found.start()]
            yield text[:found.start()].rstrip(".,;:\x60 ")

NONE = object()

def value(text):
    for part in cuts(text.strip().strip("\x60")):
        part = {"true": "True", "false": "False", "null": "None"}.get(part.strip(), part.strip())
        try:
            return ast.literal_eval(part)
        except Exception:
            continue
    return NONE

def judge(want, kind, got, printed, space):
    """True, False, or None for what is no example."""
    if kind == "prompt":
        shown = printed + ("" if got is None else repr(got))
        if plain(shown) == plain(want):
            return True
        if "..." in want and re.fullmatch(re.escape(plain(want)).replace(re.escape("..."), ".*"), plain(shown), re.S):
            return True
        if got is None and printed:
            return False
        try:
            wanted = ast.literal_eval(want)
        except Exception:
            if want.startswith("<") or "..." in want:
                return None
            if isinstance(got, str) and plain(got) == plain(want):
                return True
            try:
                wanted = eval(want, dict(space))
            except Exception:
                # Prose may follow without an empty line between.
                first = want.split("\n")[0]
                return judge(first, kind, got, printed, space) if first != want else None
    elif kind == "runs":
        return True
    elif kind == "raises":
        return False
    elif kind in ("assertion", "bag"):
        try:
            wanted = eval("(" + want + "\n)", dict(space))
        except Exception:
            return None
        if kind == "bag":
            try:
                return same(sorted(wanted, key=repr), sorted(got, key=repr))
            except TypeError:
                return False
    else:
        wanted = value(want)
        if wanted is NONE:
            return None
    if isinstance(got, (collections.abc.Iterator, range, type({}.keys()), type({}.values()))) and isinstance(wanted, (list, tuple)):
        got = type(wanted)(itertools.islice(got, 100000))
    return same(wanted, got)

def inner(error):
    """Whether the error came out of the file, not out of the example's own line."""
    frame = error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    return frame.tb_frame.f_code.co_filename != "<example>"

def sources(example):
    if example["kind"] != "pair":
        return [example["source"]]
    subject, given = job["subject"], example["source"]
    values = re.sub(r"(^|,)\s*[A-Za-z_]\w*\s*=(?!=)\s*", r"\1", given)
    return ["%s(%s)" % (subject, text) for text in dict.fromkeys([given, values])] if subject else []

def run(example, space):
    verdict = None
    for source in sources(example):
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        if not tree.body:
            continue
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        got, raised = None, None
        signal.setitimer(signal.ITIMER_PROF, job["seconds"])
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
                exec(compile(tree, "<example>", "exec"), space)
                if last is not None:
                    got = eval(compile(ast.Expression(last.value), "<example>", "eval"), space)
                    verdict = judge(example["want"], example["kind"], got, printed.getvalue(), space) if example["want"] or example["kind"] == "runs" else None
        except Late:
            raised = "no result after %g s" % job["seconds"]
            # What does not end will mostly not end with other values either.
            job["seconds"] = min(job["seconds"], 0.5)
        except BaseException as error:
            raised = "%s: %s" % (type(error).__name__, error)
            if not inner(error) and (isinstance(error, NameError) or example["kind"] != "prompt"):
                continue
            if example["kind"] == "raises":
                names = [each.__name__ for each in type(error).__mro__]
                return raised == example["want"] or example["want"] in names, source, raised
            if example["want"].startswith("Traceback") or example["kind"] != "runs" and type(error).__name__ in example["want"]:
                return True, source, ""
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if raised is not None:
            asserted = example["kind"] in ("assertion", "bag", "runs")
            if not asserted and (not example["want"] or (example["kind"] != "prompt" and value(example["want"]) is NONE)):
                return None, source, ""
            return False, source, raised
        if verdict is not None:
            shown = got if got is not None or not printed.getvalue() else printed.getvalue()
            if not verdict and example["want"].startswith("Traceback"):
                return None, source, ""
            return verdict, source, short(shown)
    return None, "", ""

signal.signal(signal.SIGPROF, late)
try:
    signal.setitimer(signal.ITIMER_PROF, job["seconds"])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        module = load()
    signal.setitimer(signal.ITIMER_PROF, 0)
except BaseException as error:
    kinds = (NameError, SyntaxError, TypeError, AttributeError, IndexError, KeyError, RecursionError)
    tell({"text": "%s: %s" % (type(error).__name__, error), "ours": isinstance(error, kinds)}, 0, [])
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except Exception:
    pass
passed, failed = 0, []
space = dict(vars(module))
for example in job["examples"]:
    good, source, got = run(example, space)
    if good is None:
        continue
    if good:
        passed += 1
    else:
        failed.append({"source": source, "want": example["want"], "got": got})
tell(None, passed, failed)
`
