/** The C functions we call, typed. Declarations follow include/llama.h and ggml-backend.h of llama.cpp v0.4.0. */
import type { LibraryHandle } from 'koffi'
import type { BatchStruct, ContextParams, ModelParams, Pointer, ThreadpoolParams } from './layout.ts'

/** A native function: called as it is on this thread, or by `later` on a worker thread. */
export interface Native<A extends readonly unknown[], R> {
  (...args: A): R
  async(...args: readonly unknown[]): void
}

type Handle = Pointer | null

/** Runs a native function on a worker thread, so that this process's event loop goes on. */
export function later<A extends readonly unknown[], R>(fn: Native<A, R>, ...args: A): Promise<R> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error: Error | null, result: R) => (error ? reject(error) : resolve(result)))
  })
}

export type Functions = ReturnType<typeof bindFunctions>

export function bindFunctions(base: LibraryHandle, ggml: LibraryHandle, llama: LibraryHandle) {
  const bind = <A extends readonly unknown[], R>(library: LibraryHandle, declaration: string) =>
    library.func(declaration) as unknown as Native<A, R>
  return {
    // Devices
    loadBackends: bind<[string], void>(ggml, 'void ggml_backend_load_all_from_path(const char *folder)'),
    deviceCount: bind<[], number>(ggml, 'size_t ggml_backend_dev_count()'),
    device: bind<[number], Handle>(ggml, 'void *ggml_backend_dev_get(size_t i)'),
    deviceByType: bind<[number], Handle>(ggml, 'void *ggml_backend_dev_by_type(int type)'),
    deviceType: bind<[Handle], number>(base, 'int ggml_backend_dev_type(void *device)'),
    deviceMemory: bind<[Handle, [number | bigint | null], [number | bigint | null]], void>(
      base,
      'void ggml_backend_dev_memory(void *device, _Out_ size_t *free, _Out_ size_t *total)',
    ),
    deviceName: bind<[Handle], string>(base, 'const char *ggml_backend_dev_name(void *device)'),
    deviceDescription: bind<[Handle], string>(base, 'const char *ggml_backend_dev_description(void *device)'),
    deviceBufferType: bind<[Handle], Pointer>(base, 'void *ggml_backend_dev_buffer_type(void *device)'),
    deviceRegistry: bind<[Handle], Handle>(base, 'void *ggml_backend_dev_backend_reg(void *device)'),
    registrySymbol: bind<[Handle, string], Handle>(
      base,
      'void *ggml_backend_reg_get_proc_address(void *registry, const char *name)',
    ),
    threadpoolDefaults: bind<[number], ThreadpoolParams>(
      base,
      'threadpool_params ggml_threadpool_params_default(int threads)',
    ),

    // Model
    version: bind<[], string>(llama, 'const char *llama_version()'),
    modelDefaults: bind<[], ModelParams>(llama, 'model_params llama_model_default_params()'),
    modelLoad: bind<[string, ModelParams], Handle>(
      llama,
      'void *llama_model_load_from_file(const char *path, model_params params)',
    ),
    modelFree: bind<[Pointer], void>(llama, 'void llama_model_free(void *model)'),
    modelWindow: bind<[Pointer], number>(llama, 'int32_t llama_model_n_swa(void *model)'),
    modelIsRecurrent: bind<[Pointer], boolean>(llama, 'bool llama_model_is_recurrent(void *model)'),
    modelIsHybrid: bind<[Pointer], boolean>(llama, 'bool llama_model_is_hybrid(void *model)'),

    // Vocabulary
    vocabulary: bind<[Pointer], Pointer>(llama, 'void *llama_model_get_vocab(void *model)'),
    vocabularySize: bind<[Pointer], number>(llama, 'int32_t llama_vocab_n_tokens(void *vocab)'),
    tokenText: bind<[Pointer, number], string>(llama, 'const char *llama_vocab_get_text(void *vocab, int32_t token)'),
    tokenAttributes: bind<[Pointer, number], number>(llama, 'int llama_vocab_get_attr(void *vocab, int32_t token)'),
    tokenIsEnd: bind<[Pointer, number], boolean>(llama, 'bool llama_vocab_is_eog(void *vocab, int32_t token)'),
    endOfText: bind<[Pointer], number>(llama, 'int32_t llama_vocab_eos(void *vocab)'),
    endOfTurn: bind<[Pointer], number>(llama, 'int32_t llama_vocab_eot(void *vocab)'),
    tokenize: bind<[Pointer, Uint8Array, number, Int32Array, number, boolean, boolean], number>(
      llama,
      'int32_t llama_tokenize(void *vocab, const void *text, int32_t bytes, void *tokens, int32_t most, bool add_special, bool parse_special)',
    ),
    tokenPiece: bind<[Pointer, number, Uint8Array, number, number, boolean], number>(
      llama,
      'int32_t llama_token_to_piece(void *vocab, int32_t token, void *buffer, int32_t bytes, int32_t lstrip, bool special)',
    ),

    // Context
    contextDefaults: bind<[], ContextParams>(llama, 'context_params llama_context_default_params()'),
    contextNew: bind<[Pointer, ContextParams], Handle>(
      llama,
      'void *llama_init_from_model(void *model, context_params params)',
    ),
    contextFree: bind<[Pointer], void>(llama, 'void llama_free(void *context)'),
    contextSequenceTokens: bind<[Pointer], number>(llama, 'uint32_t llama_n_ctx_seq(void *context)'),
    setAbortCallback: bind<[Pointer, Pointer, Pointer], void>(
      llama,
      'void llama_set_abort_callback(void *context, void *callback, void *data)',
    ),
    setThreads: bind<[Pointer, number, number], void>(
      llama,
      'void llama_set_n_threads(void *context, int32_t decode, int32_t batch)',
    ),
    attachThreadpool: bind<[Pointer, Pointer, Pointer], void>(
      llama,
      'void llama_attach_threadpool(void *context, void *decode, void *batch)',
    ),
    decode: bind<[Pointer, BatchStruct], number>(llama, 'int32_t llama_decode(void *context, batch b)'),
    synchronize: bind<[Pointer], void>(llama, 'void llama_synchronize(void *context)'),
    logits: bind<[Pointer, number], Handle>(llama, 'void *llama_get_logits_ith(void *context, int32_t i)'),

    // Memory (KV cache)
    memory: bind<[Pointer], Pointer>(llama, 'void *llama_get_memory(void *context)'),
    memoryRemove: bind<[Pointer, number, number, number], boolean>(
      llama,
      'bool llama_memory_seq_rm(void *memory, int32_t sequence, int32_t from, int32_t to)',
    ),
    memoryCopy: bind<[Pointer, number, number, number, number], void>(
      llama,
      'void llama_memory_seq_cp(void *memory, int32_t source, int32_t target, int32_t from, int32_t to)',
    ),
    memoryFirst: bind<[Pointer, number], number>(
      llama,
      'int32_t llama_memory_seq_pos_min(void *memory, int32_t sequence)',
    ),
    memoryLast: bind<[Pointer, number], number>(
      llama,
      'int32_t llama_memory_seq_pos_max(void *memory, int32_t sequence)',
    ),

    // State
    stateSize: bind<[Pointer, number, number], number>(
      llama,
      'size_t llama_state_seq_get_size_ext(void *context, int32_t sequence, uint32_t flags)',
    ),
    stateGet: bind<[Pointer, Uint8Array, number, number, number], number>(
      llama,
      'size_t llama_state_seq_get_data_ext(void *context, void *target, size_t bytes, int32_t sequence, uint32_t flags)',
    ),
    stateSet: bind<[Pointer, Uint8Array, number, number, number], number>(
      llama,
      'size_t llama_state_seq_set_data_ext(void *context, const void *source, size_t bytes, int32_t sequence, uint32_t flags)',
    ),

    // Adapters
    adapterLoad: bind<[Pointer, string], Handle>(llama, 'void *llama_adapter_lora_init(void *model, const char *path)'),
    adaptersSet: bind<[Pointer, BigUint64Array, number, Float32Array], number>(
      llama,
      'int32_t llama_set_adapters_lora(void *context, void *adapters, size_t count, void *scales)',
    ),

    // Samplers
    chainNew: bind<[{ no_perf: boolean }], Pointer>(
      llama,
      'void *llama_sampler_chain_init(sampler_chain_params params)',
    ),
    chainAdd: bind<[Pointer, Pointer], void>(llama, 'void llama_sampler_chain_add(void *chain, void *sampler)'),
    samplerClone: bind<[Pointer], Pointer>(llama, 'void *llama_sampler_clone(const void *sampler)'),
    samplerFree: bind<[Pointer], void>(llama, 'void llama_sampler_free(void *sampler)'),
    sample: bind<[Pointer, Pointer, number], number>(
      llama,
      'int32_t llama_sampler_sample(void *sampler, void *context, int32_t i)',
    ),
    samplerApply: bind<[Pointer, Pointer], void>(llama, 'void llama_sampler_apply(void *sampler, void *candidates)'),
    samplerAccept: bind<[Pointer, number], void>(llama, 'void llama_sampler_accept(void *sampler, int32_t token)'),
    grammarSampler: bind<[Pointer, string, string], Handle>(
      llama,
      'void *llama_sampler_init_grammar(void *vocab, const char *grammar, const char *root)',
    ),
    greedySampler: bind<[], Pointer>(llama, 'void *llama_sampler_init_greedy()'),
    seededSampler: bind<[number], Pointer>(llama, 'void *llama_sampler_init_dist(uint32_t seed)'),
    temperatureSampler: bind<[number], Pointer>(llama, 'void *llama_sampler_init_temp(float t)'),
    topKSampler: bind<[number], Pointer>(llama, 'void *llama_sampler_init_top_k(int32_t k)'),
    topPSampler: bind<[number, number], Pointer>(llama, 'void *llama_sampler_init_top_p(float p, size_t keep)'),
    minPSampler: bind<[number, number], Pointer>(llama, 'void *llama_sampler_init_min_p(float p, size_t keep)'),
    penaltySampler: bind<[number, number, number, number, number], Pointer>(
      llama,
      'void *llama_sampler_init_penalties(int32_t vocabulary, int32_t last, float repeat, float frequency, float presence)',
    ),
  }
}
