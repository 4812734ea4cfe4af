/** Which nodes of the grammars are definitions, and where to look for more. Node names are the grammars' own (node-types.json). */

/** A definition without members worth a line of their own. */
export const leaves: ReadonlySet<string> = new Set([
  // JavaScript, TypeScript
  ...['function_declaration', 'generator_function_declaration', 'function_signature', 'method_definition'],
  ...['abstract_method_signature', 'method_signature', 'type_alias_declaration'],
  // Python, bash, C, PHP
  ...['function_definition', 'type_alias_statement'],
  // Go
  ...['method_declaration', 'method_elem', 'type_spec', 'type_alias'],
  // Rust
  ...['function_item', 'function_signature_item', 'macro_definition', 'type_item'],
  // Java, C#
  ...['constructor_declaration', 'property_declaration', 'delegate_declaration', 'annotation_type_declaration'],
  ...['indexer_declaration', 'operator_declaration'],
  // C, C++
  ...['type_definition', 'preproc_function_def', 'alias_declaration', 'concept_definition'],
  // Ruby
  ...['method', 'singleton_method'],
])

/** A definition with members: class, interface, module, namespace. */
export const containers: ReadonlySet<string> = new Set([
  ...[
    'class_declaration',
    'abstract_class_declaration',
    'interface_declaration',
    'enum_declaration',
    'internal_module',
  ],
  ...['module', 'class_definition', 'struct_item', 'enum_item', 'union_item', 'impl_item', 'trait_item', 'mod_item'],
  ...['record_declaration', 'struct_declaration', 'namespace_declaration', 'file_scoped_namespace_declaration'],
  ...['struct_specifier', 'class_specifier', 'union_specifier', 'enum_specifier', 'namespace_definition'],
  ...['class', 'trait_declaration', 'singleton_class'],
])

/** Says nothing by itself; what is in it may. */
export const wrappers: ReadonlySet<string> = new Set([
  ...['program', 'source_file', 'translation_unit', 'compilation_unit', 'document', 'stream', 'stylesheet', 'module'],
  ...['export_statement', 'ambient_declaration', 'expression_statement', 'decorated_definition', 'type_declaration'],
  ...['template_declaration', 'linkage_specification', 'declaration_list', 'statement_list', 'body_statement'],
  ...['preproc_if', 'preproc_ifdef', 'preproc_else', 'preproc_elif', 'if_statement', 'block', 'else_clause'],
  // Python
  ...['elif_clause', 'try_statement', 'except_clause', 'finally_clause', 'with_statement'],
  // JavaScript, TypeScript; PHP; Go; Rust; Java; Ruby
  ...['statement_block', 'compound_statement', 'const_declaration', 'var_declaration', 'var_spec_list'],
  ...['foreign_mod_item', 'enum_body_declarations', 'argument_list'],
])

/** Bodies of what has members that are no definitions: they are shown with it, where nothing in them has a line of its own. */
export const members: ReadonlySet<string> = new Set([
  ...['enum_body', 'enumerator_list', 'enum_member_declaration_list', 'enum_variant_list', 'enum_declaration_list'],
  ...['field_declaration_list', 'ordered_field_declaration_list', 'interface_body', 'object_type'],
])

/** Whose text begins the signature, when they are around a definition: `export`, `template <…>`. */
export const prefixes: ReadonlySet<string> = new Set([
  'export_statement',
  'ambient_declaration',
  'template_declaration',
])

/** Bindings of a name, which are definitions when a function or class is bound, or when they are exported. */
export const bindings: ReadonlySet<string> = new Set([
  'variable_declarator',
  'public_field_definition',
  'field_definition',
])
export const boundCode: ReadonlySet<string> = new Set([
  ...['arrow_function', 'function_expression', 'generator_function', 'class', 'function'],
])

/** What names things, for references; texts and comments have other nodes. */
export const identifier =
  /identifier|^(?:name|constant|word|variable_name|command_name|property_name|tag_name|class_name)$/
