/**
 * What a configuration of somebody looks like, and what is to become of it. LiteLLM starts with each: what
 * they name needs no package of its own, and `custom.handler` is a module beside the file.
 */
export interface ExampleConfig {
  name: string;
  text: string;
  /** Lines that go or change; every other one stays, byte for byte. */
  touched?: readonly string[];
}

const models = `model_list:
  - model_name: gpt   # the "cheap" one
    litellm_params:
      model: openai/gpt-6-luna
      api_key: os.environ/OPENAI_API_KEY
`;

/** The callback with what has to be there, and nothing that may be mended. */
const block = `callback_settings:
  sidecar:
    callback_type: generic_api
    endpoint: os.environ/SIDECAR_EVENTS_URL
    headers: { Authorization: os.environ/SIDECAR_AUTH_TOKEN }
    max_retries: 3
    retry_delay: 0.5
    timeout: 5
`;

/** Configurations in the shapes of LiteLLM's own documentation and of people's repositories. */
export const examples: readonly ExampleConfig[] = [
  { name: 'an empty file', text: '' },
  { name: 'comments alone', text: '# LiteLLM\n# to be written\n' },
  { name: 'no litellm_settings', text: models },
  { name: 'no end of the last line', text: models.trimEnd() },
  {
    name: 'sections without anything in them',
    text: `${models}litellm_settings: # later\ncallback_settings:\ngeneral_settings:\n  master_key: os.environ/KEY\n`,
  },
  {
    name: 'callbacks as a list on one line',
    text: `${models}\nlitellm_settings:\n  callbacks: ["custom.handler", 'otel'] # both\n  drop_params: true\n`,
    touched: [`  callbacks: ["custom.handler", 'otel'] # both`],
  },
  {
    name: 'callbacks as a list of lines, not indented, with comments',
    text: `litellm_settings:\n  callbacks:\n  - otel # metrics\n  # - langfuse\n\n  drop_params: true\n${models}`,
  },
  {
    name: 'callbacks as a list of lines at the end of the file',
    text: `${models}litellm_settings:\n    callbacks:\n        - otel`,
  },
  {
    name: 'callbacks as a single text',
    text: `litellm_settings:\n  callbacks: custom.handler # ours\n${models}`,
    touched: ['  callbacks: custom.handler # ours'],
  },
  {
    name: 'success and failure callbacks',
    text: `litellm_settings:\n  success_callback: ["helicone"]\n  failure_callback: ["custom.handler"]\n`,
  },
  {
    name: 'the callback in both kinds of lists',
    text: `litellm_settings:\n  callbacks: [sidecar]\n  success_callback: [helicone, sidecar]\n  failure_callback:\n    - sidecar # too\n    - custom.handler\n${block}`,
    touched: ['  success_callback: [helicone, sidecar]', '    - sidecar # too'],
  },
  {
    name: 'the callback alone in a list that goes',
    text: `litellm_settings:\n  success_callback:\n    - sidecar\n    # - langfuse, perhaps\n  callbacks: [sidecar]\n${block}`,
    touched: ['  success_callback:', '    - sidecar'],
  },
  {
    name: 'anchors and merges that other parts use',
    text: `x-common: &common\n  api_key: os.environ/KEY\n  timeout: 30 # seconds\nmodel_list:\n  - model_name: a\n    litellm_params: { <<: *common, model: openai/a }\n  - model_name: b\n    litellm_params:\n      <<: *common\n      model: openai/b\nlitellm_settings: &settings\n  num_retries: 2\n`,
  },
  {
    name: 'a block scalar at the end of a section, and a long text',
    text: `litellm_settings:\n  default_team_settings: []\n  banner: |\n    # no comment\n    hello: there\n\ngeneral_settings:\n  note: >-\n    folded\n    text\n\n\n# the end\n`,
  },
  {
    name: 'everything in braces',
    text: `{ model_list: [], litellm_settings: { drop_params: true, callbacks: [] }, general_settings: {} }\n`,
    touched: [
      `{ model_list: [], litellm_settings: { drop_params: true, callbacks: [] }, general_settings: {} }`,
    ],
  },
  {
    name: 'the end of the document said',
    text: `---\n${models}litellm_settings:\n  drop_params: True\n...\n`,
  },
  {
    name: 'no retries, a token within a text, no headers elsewhere',
    text: `litellm_settings:\n  callbacks: [sidecar]\ncallback_settings:\n  otel:\n    message_logging: false\n  sidecar:\n    callback_type: generic_api\n    endpoint: "http://127.0.0.1:4100/v1/events"\n    headers:\n      Authorization: "Bearer os.environ/SIDECAR_TOKEN" # secret\n      X-Env: prod\n    max_retries: 0\n`,
    touched: [
      '      Authorization: "Bearer os.environ/SIDECAR_TOKEN" # secret',
      '    max_retries: 0',
    ],
  },
  {
    name: 'comments behind the last member and the last item that are about it',
    text: `litellm_settings:\n  callbacks:\n    - otel\n    # - langfuse\n  cache_params:\n    type: local\n    # ttl: 60\n\n    # namespace: ours\n  # drop_params: true\n# The models\nmodel_list: []\n`,
  },
  {
    name: 'a comment between a list that is not indented and what it is about',
    text: `litellm_settings:\n  callbacks:\n  - otel\n  # what a provider does not know\n  drop_params: true\n`,
  },
  {
    name: 'comments in an empty list, and in a section with nothing in it',
    text: `litellm_settings:\n    # drop_params: true\nmodel_list: []\ncallback_settings: {\n  # later\n}\n`,
    touched: ['callback_settings: {'],
  },
  {
    name: 'callbacks that are all switched off',
    text: `litellm_settings:\n  callbacks:\n    # one of these:\n    # - langfuse\n  success_callback:\n  # - otel\n  drop_params: true\n`,
    touched: ['  success_callback:'],
  },
  {
    name: 'callbacks that are switched off, in brackets',
    text: `litellm_settings:\n  callbacks: [\n    # "langfuse",\n  ]\n`,
    touched: ['  callbacks: ['],
  },
  {
    name: 'the callback among others over several lines, in brackets',
    text: `litellm_settings:\n  callbacks: [sidecar]\n  success_callback: [\n    helicone, # a\n    # alone\n    sidecar, # ours\n    custom.handler # c\n  ]\n  failure_callback: [\n    custom.handler, # a\n    sidecar\n  ]\n${block}`,
    touched: ['    sidecar, # ours', '    custom.handler, # a', '    sidecar'],
  },
  {
    name: 'the callback alone in a list that goes, below comments',
    text: `litellm_settings:\n  callbacks: [sidecar]\n\n  # of success\n  success_callback:\n    # only ours\n    - sidecar\n\n  # parameters\n  drop_params: true\n${block}`,
    touched: ['  success_callback:', '    - sidecar'],
  },
  {
    name: 'everything indented',
    text: `  litellm_settings:\n    drop_params: true\n  model_list: []\n`,
  },
  { name: 'a byte order mark', text: `\ufeff${models}` },
  {
    name: 'names behind question marks',
    text: `? litellm_settings\n: ? drop_params\n  : true\n`,
  },
  {
    name: 'a dash in an anchor',
    text: `litellm_settings:\n  callbacks:\n    - &my-own otel\nx: *my-own\n`,
  },
];
