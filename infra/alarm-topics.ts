import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/**
 * Returns the topics that alarms notify: the one in the settings, and one of the stack with the
 * address in the settings, whose owner confirms the subscription.
 */
export function alarmTopics(
  scope: Construct,
  { alarmEmail, alarmTopicArn }: Pick<Settings, 'alarmEmail' | 'alarmTopicArn'>,
): ITopic[] {
  return [
    ...(alarmTopicArn ? [Topic.fromTopicArn(scope, 'Topic', alarmTopicArn)] : []),
    ...(alarmEmail ? [emailTopic(scope, alarmEmail)] : []),
  ];
}

function emailTopic(scope: Construct, address: string): Topic {
  const topic = new Topic(scope, 'Emails', { displayName: 'Customer register', enforceSSL: true });
  topic.addSubscription(new EmailSubscription(address));
  // A topic with a policy of its own loses the default one, by which CloudWatch may publish.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return topic;
}
