/**
 * The program that reads Python (3.8 or later): whether it parses, and whether every name in it is bound somewhere. Its stdin
 * is the text; it prints one line and ends with 1 where something is wrong. Names are looked up as the compiler does (its own
 * symbol tables); where a text makes names in ways that these do not see (`import *`, `exec`, `globals()`, caught NameErrors)
 * only its syntax is looked at.
 */
export const readPython = `
import ast, builtins, symtable, sys
data = sys.stdin.buffer.read()
try:
    tree = ast.parse(data)
    top = symtable.symtable(data, "text", "exec")
except SyntaxError as e:
    print("line %s: %s" % (e.lineno, e.msg))
    sys.exit(1)
except ValueError as e:
    print("line 1: %s" % e)
    sys.exit(1)
except (RecursionError, MemoryError):
    # Deeper than this program can look; whoever runs the file will see.
    sys.exit(0)
makers = {"exec", "eval", "globals", "locals", "vars", "NameError", "UnboundLocalError", "__getattr__", "get_ipython"}
for node in ast.walk(tree):
    if isinstance(node, ast.Name) and node.id in makers or isinstance(node, ast.FunctionDef) and node.name in makers:
        sys.exit(0)
    if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
        sys.exit(0)
known = set(dir(builtins)) | {"__file__", "__path__", "__builtins__", "__annotations__", "WindowsError", "reveal_type", "__class__"}
used = []
def look(table):
    for symbol in table.get_symbols():
        name = symbol.get_name()
        module = table.get_type() == "module"
        if (module or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
            known.add(name)
        # Before 3.13 what a function by the name of "top" binds passes for global, too (cpython's symtable.py).
        elif symbol.is_referenced() and (module or symbol.is_global() and not symbol.is_local()):
            used.append((name, table.get_lineno()))
    for child in table.get_children():
        look(child)
try:
    look(top)
except RecursionError:
    sys.exit(0)
places = sorted((node.lineno, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name))
wrong = sorted((next((line for line, id in places if id == name and line >= since), since), name) for name, since in used if name not in known)
if wrong:
    print("line %s: name '%s' is not defined" % wrong[0])
    sys.exit(1)
`
