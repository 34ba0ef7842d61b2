/** Whom a key of the test proxy belongs to, in LiteLLM's own names for the fields. */
export interface KeyOwner {
  readonly user_id: string;
  readonly user_email: string;
  readonly team_id: string;
  readonly team_alias: string;
  readonly org_id: string;
  readonly key_alias: string;
}

/** The keys that the test proxy knows; any other is refused with 401. */
export const keys: Readonly<Record<string, KeyOwner>> = {
  'sk-ada': owner('user-42', 'ada', 'team-7', 'payments', 'alias-checkout'),
  'sk-bob': owner('user-43', 'bob', 'team-7', 'payments', 'alias-fraud'),
  'sk-cho': owner('user-51', 'cho', 'team-8', 'search', 'alias-search'),
  'sk-dee': owner('user-60', 'dee', 'team-9', 'support', 'alias-helpdesk'),
};

function owner(
  user: string,
  name: string,
  team: string,
  teamAlias: string,
  alias: string,
): KeyOwner {
  return {
    user_id: user,
    user_email: `${name}@example.com`,
    team_id: team,
    team_alias: teamAlias,
    org_id: 'org-1',
    key_alias: alias,
  };
}
