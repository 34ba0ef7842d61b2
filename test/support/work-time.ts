/** Milliseconds of processor time that `work` takes in this thread; what others take meanwhile is not in it. */
export function workTime(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
