/** What a configuration of somebody looks like, and what is to become of it. */
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
    text: `${models}\nlitellm_settings:\n  callbacks: ["prometheus", 'otel'] # both\n  drop_params: true\n`,
    touched: [`  callbacks: ["prometheus", 'otel'] # both`],
  },
  {
    name: 'callbacks as a list of lines, not indented, with comments',
    text: `litellm_settings:\n  callbacks:\n  - prometheus # metrics\n  # - langfuse\n\n  drop_params: true\n${models}`,
  },
  {
    name: 'callbacks as a list of lines at the end of the file',
    text: `${models}litellm_settings:\n    callbacks:\n        - prometheus`,
  },
  {
    name: 'callbacks as a single text',
    text: `litellm_settings:\n  callbacks: custom.handler # ours\n${models}`,
    touched: ['  callbacks: custom.handler # ours'],
  },
  {
    name: 'success and failure callbacks',
    text: `litellm_settings:\n  success_callback: ["langfuse"]\n  failure_callback: ["sentry"]\n`,
  },
  {
    name: 'the callback in both kinds of lists',
    text: `litellm_settings:\n  callbacks: [sidecar]\n  success_callback: [langfuse, sidecar]\n  failure_callback:\n    - sidecar # too\n    - sentry\n${block}`,
    touched: ['  success_callback: [langfuse, sidecar]', '    - sidecar # too'],
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
];
